"""`apportion infer`: look at a foreign file and propose how to read it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.infer_output import describe_proposal, print_proposal, say_nearest, say_next
from pipelines.cli.output import JsonOption, parse_assignments, print_json
from pipelines.errors import EXIT_USAGE

if TYPE_CHECKING:
    from pipelines.mappings.answers import Answers
    from pipelines.mappings.file_head import FileHead
    from pipelines.mappings.infer import Proposal

CONFIG_NAME = "apportion.yml"


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command("infer")(infer)


def infer(
    file: Annotated[
        Path, typer.Argument(help="File or folder of files to look at; it is only read.")
    ],
    contract: Annotated[str | None, typer.Option(help="Contract, where it is known.")] = None,
    write: Annotated[
        Path | None, typer.Option(help="New file for the mapping, such as mappings/erp.yml.")
    ] = None,
    constant: Annotated[
        list[str] | None,
        typer.Option(help="FIELD=VALUE that every record has. May be repeated."),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(help="FIELD=COLUMN that gives a field. May be repeated."),
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option(help="NAME=VALUE of a setting of the mapping. May be repeated."),
    ] = None,
    interactive: Annotated[
        bool, typer.Option("--interactive", help="Ask what is open, one question at a time.")
    ] = False,
    as_json: JsonOption = False,
) -> int:
    """Propose a contract and a mapping for a file, with reasons and a preview. Loads nothing."""
    from pipelines.mappings.file_head import read_head
    from pipelines.mappings.infer import propose_mapping
    from pipelines.mappings.preview import preview_records
    from pipelines.mappings.write_proposal import write_proposal

    _require_contract(contract)
    answers = _read_answers((file, write), constant or [], column or [], setting or [])
    head = read_head(file)
    proposal = propose_mapping(head, contract, answers, file.stem)
    _refuse_unknown(proposal, head)
    if interactive:
        from pipelines.cli.infer_dialogue import ask_what_is_open, choose_contract

        contract = choose_contract(proposal, contract)
        proposal = propose_mapping(head, contract, answers, file.stem)
        proposal = ask_what_is_open(
            proposal, answers, lambda more: propose_mapping(head, contract, more, file.stem)
        )
    elif contract is None and not proposal.match.fits:
        say_nearest(proposal, file, as_json=as_json)
        return EXIT_USAGE
    preview = preview_records(proposal.head, proposal.match.contract, proposal.settings)
    if write is not None:
        write_proposal(proposal, write)
    if as_json:
        print_json(describe_proposal(proposal, preview))
    else:
        print_proposal(proposal, preview)
        say_next(proposal, file, write)
    return 0


def _require_contract(contract: str | None) -> None:
    from pipelines.contracts.contract import list_contract_ids
    from pipelines.errors import UsageError

    if contract is not None and contract not in list_contract_ids():
        known = ", ".join(list_contract_ids())
        raise UsageError(f"--contract: expected one of {known}, found '{contract}'.")


def _read_answers(
    places: tuple[Path | None, ...], constants: list[str], columns: list[str], settings: list[str]
) -> Answers:
    from pipelines.mappings.answers import Answers, read_settings

    return Answers(
        parse_assignments(constants, "--constant"),
        parse_assignments(columns, "--column"),
        read_settings(parse_assignments(settings, "--setting")),
        _find_in_workspace(places, "currency"),
        _find_in_workspace(places, "time_zone"),
    )


def _find_in_workspace(places: tuple[Path | None, ...], name: str) -> str | None:
    """A setting of the workspace that one of the files lies in, if one does."""
    found = (_find_setting(path, name) for path in places if path is not None)
    return next((value for value in found if value is not None), None)


def _find_setting(file: Path, name: str) -> str | None:
    import yaml

    for directory in file.resolve().parents:
        config = directory / CONFIG_NAME
        if config.is_file():
            try:
                settings = yaml.safe_load(config.read_text("utf-8"))
            except (yaml.YAMLError, OSError, UnicodeDecodeError):
                return None
            value = settings.get(name) if isinstance(settings, dict) else None
            return value if isinstance(value, str) else None
    return None


def _refuse_unknown(proposal: Proposal, head: FileHead) -> None:
    """Answers that name a field, a column or a setting that there is not."""
    from pipelines.errors import UsageError
    from pipelines.mappings.setting_checks import is_zone
    from pipelines.mappings.settings import Mapping

    answers, contract = proposal.answers, proposal.match.contract
    fields = [item.name for item in contract.fields]
    for option, named in (("--constant", answers.constants), ("--column", answers.columns)):
        for name in named:
            if name not in fields:
                raise UsageError(
                    f"{option}: expected a field of {contract.contract_id} "
                    f"({', '.join(fields)}), found '{name}'."
                )
    for column in answers.columns.values():
        if column not in head.columns:
            raise UsageError(
                f"--column: expected a column of {head.name} ({', '.join(head.columns)}), "
                f"found '{column}'."
            )
    for name in answers.settings:
        if name not in Mapping.model_fields:
            known = ", ".join(Mapping.model_fields)
            raise UsageError(f"--setting: expected one of {known}, found '{name}'.")
    zone = answers.settings.get("time_zone")
    if zone is not None and not is_zone(str(zone)):
        raise UsageError(
            f"--setting: expected a time zone such as UTC or Europe/Berlin, found '{zone}'."
        )
