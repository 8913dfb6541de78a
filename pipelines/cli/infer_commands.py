"""`apportion infer`: look at a foreign file and propose how to read it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.output import JsonOption, print_error, print_json, print_table
from pipelines.errors import EXIT_USAGE

if TYPE_CHECKING:
    from pipelines.mappings.infer import Proposal
    from pipelines.mappings.preview import PreviewRecord

SHOWN_CHARACTERS = 60


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command("infer")(infer)


def infer(
    file: Annotated[Path, typer.Argument(help="File to look at; it is only read.")],
    contract: Annotated[str | None, typer.Option(help="Contract, where it is known.")] = None,
    write: Annotated[
        Path | None, typer.Option(help="New file for the mapping, such as mappings/erp.yml.")
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Propose a contract and a mapping for a file, with reasons and a preview. Loads nothing."""
    from pipelines.mappings.preview import preview_records
    from pipelines.mappings.write_proposal import write_proposal

    proposal = _infer(file, contract)
    if not proposal.match.fits:
        _say_nearest(proposal, as_json=as_json)
        return EXIT_USAGE
    preview = preview_records(proposal.head, proposal.match.contract, proposal.settings)
    if write is not None:
        write_proposal(proposal, write)
    if as_json:
        print_json(_describe(proposal, preview))
    else:
        _print_proposal(proposal, preview)
        if write is not None:
            print(f"Written: {write}. Look at every line, then name it in apportion.yml.")
    return 0


def _infer(file: Path, contract: str | None) -> Proposal:
    from pipelines.contracts.contract import list_contract_ids
    from pipelines.errors import UsageError
    from pipelines.mappings.infer import infer_mapping

    if contract is not None and contract not in list_contract_ids():
        known = ", ".join(list_contract_ids())
        raise UsageError(f"--contract: expected one of {known}, found '{contract}'.")
    return infer_mapping(file, contract)


def _describe(proposal: Proposal, preview: tuple[PreviewRecord, ...]) -> dict[str, object]:
    return {
        "file": proposal.head.name,
        "fits": proposal.match.fits,
        "contract": proposal.match.contract.contract_id,
        "score": round(proposal.match.score, 2),
        "other_contracts": dict(proposal.runners_up),
        "ready_mappings": list(proposal.ready_mappings),
        "mapping": proposal.settings,
        "guesses": [vars(guess) for guess in proposal.match.guesses],
        "missing": list(proposal.match.missing),
        "decide": list(proposal.decisions),
        "preview": [vars(record) for record in preview],
    }


def _print_proposal(proposal: Proposal, preview: tuple[PreviewRecord, ...]) -> None:
    head, match = proposal.head, proposal.match
    print(f"{head.name}: {match.contract.contract_id}, score {match.score:.2f} of 1")
    others = ", ".join(f"{name} {score:.2f}" for name, score in proposal.runners_up)
    if others:
        print(f"Next: {others}")
    if proposal.ready_mappings:
        print(f"Ready mappings that find their columns: {', '.join(proposal.ready_mappings)}")
    shown = {"compression", "encoding", "delimiter", "header_row", "null_tokens", "decimal_mark"}
    shown |= {"thousands_mark", "negative_form", "date_order", "date_separator"}
    shown |= {"timestamp_formats", "period_from", "row_key", "footer_rows", "century"}
    shown |= {"net_of", "sign_from", "extract", "allow_scientific", "round_to"}
    for name, value in proposal.settings.items():
        if name in shown:
            print(f"  {name}: {value!r}")
    rows = [
        (g.field, _show(g.column), f"{g.confidence:.2f}", _show(g.reason)) for g in match.guesses
    ]
    print_table("Fields", ("field", "column", "confidence", "why"), rows, numeric=[2])
    used = {column for guess in match.guesses for column in guess.columns}
    used |= {match.sign.column} if match.sign else set()
    if unused := [name for name in head.columns if name not in used]:
        print(f"Not used: {_clean(', '.join(unused))}")
    fields = [guess.field for guess in match.guesses]
    print_table(
        "Preview",
        ("record", *fields),
        [(r.number, *(_show(_shorten(r.values[name])) for name in fields)) for r in preview],
    )
    for record in preview:
        for problem in record.problems:
            print(f"- record {record.number}: {problem}")
    for decision in proposal.decisions:
        print(f"- decide: {_clean(decision)}")


def _say_nearest(proposal: Proposal, *, as_json: bool) -> None:
    if as_json:
        print_json(_describe(proposal, ()))
    match = proposal.match
    found = ", ".join(f"{g.field} ({_clean(g.column)})" for g in match.guesses) or "nothing"
    print_error(
        f"{proposal.head.name}: fits no contract. The nearest is {match.contract.contract_id}: "
        f"found {found}; missing {', '.join(match.missing) or 'nothing that is required'}. "
        + _say_ready(proposal)
        + "Name the contract with --contract, or write the mapping by hand."
    )


def _say_ready(proposal: Proposal) -> str:
    ready = ", ".join(proposal.ready_mappings)
    return f"Ready mappings that find their columns: {ready}. " if ready else ""


def _show(text: str) -> str:
    """Text of the sender as a table shows it: no markup."""
    from rich.markup import escape

    return escape(_clean(text))


def _clean(text: str) -> str:
    """Text of the sender without characters that steer a terminal."""
    return "".join(char if char.isprintable() else " " for char in text)


def _shorten(value: str | None) -> str:
    text = value or ""
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"
