"""`apportion init` and `apportion doctor`: make a workspace, and say what is wrong with one."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.output import (
    JsonOption,
    WorkspaceOption,
    parse_assignments,
    print_json,
    print_table,
)
from pipelines.errors import EXIT_REFUSED, UsageError

if TYPE_CHECKING:
    from pipelines.first_showback.write_first_showback import FirstShowback


class Template(StrEnum):
    """The starting points of a workspace."""

    sample = "sample"
    cloud = "cloud"
    empty = "empty"
    ledger = "ledger"


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command("init")(init)
    app.command("doctor")(doctor)


def init(
    directory: Annotated[
        Path, typer.Argument(help="Directory to make; must not exist or be empty.")
    ],
    template: Annotated[Template, typer.Option(help="What to start from.")] = Template.empty,
    ledger: Annotated[
        Path | None,
        typer.Option(help="Ledger export of any columns, a file or a folder (template ledger)."),
    ] = None,
    units: Annotated[
        Path | None,
        typer.Option(help="List of business units, cost centres and heads (template ledger)."),
    ] = None,
    accounts: Annotated[
        Path | None, typer.Option(help="Chart of accounts, for names (template ledger).")
    ] = None,
    currency: Annotated[
        str | None, typer.Option(help="Currency, where the export does not say (template ledger).")
    ] = None,
    constant: Annotated[
        list[str] | None,
        typer.Option(
            help="FIELD=VALUE of every record of the export (template ledger). May be repeated."
        ),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            help="FIELD=COLUMN of the export that gives a field (template ledger). May be repeated."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Make a workspace: sample (a company with data), cloud (a FOCUS bill only), empty, or
    ledger (a first showback from a ledger export and a list of business units)."""
    from pipelines.first_showback.write_first_showback import FirstFiles
    from pipelines.mappings.answers import Answers
    from pipelines.workspace.init_workspace import init_first_showback, init_workspace

    answers = Answers(
        parse_assignments(constant or [], "--constant"), parse_assignments(column or [], "--column")
    )
    files = FirstFiles(ledger, units, accounts, currency, answers)
    showback = None
    if template is Template.ledger:
        workspace, showback = init_first_showback(directory, files)
    elif files != FirstFiles():
        raise UsageError(
            "--ledger, --units, --accounts, --currency, --constant and --column are for a first "
            "showback; "
            "add --template ledger"
        )
    else:
        workspace = init_workspace(directory, template.value)
    next_step = f"apportion run --workspace {directory}"
    if as_json:
        made = {"workspace": str(workspace.root), "template": template, "next": next_step}
        print_json(made | ({"first_showback": showback} if showback else {}))
        return 0
    print(f"Made the workspace {workspace.root} from the template '{template}'.")
    if showback is not None:
        _print_first_showback(showback)
    if template is not Template.sample and (ledger is None or units is None):
        print(f"Drop deliveries into {workspace.inbox}, as apportion.yml names them.")
    print(f"Next: {next_step}")
    return 0


def _print_first_showback(showback: FirstShowback) -> None:
    rows = [(group.glob, group.name) for group in showback.groups]
    if rows:
        print_table("Pools and services", ("accounts", "name"), rows)
    print(f"Cost is split {showback.split}, and shown, not charged.")
    for decision in showback.decisions:
        print(f"- look at: {decision}")


def doctor(workspace: WorkspaceOption = Path(), as_json: JsonOption = False) -> int:
    """Look at the workspace and the machine, and say what is wrong and what to do."""
    from pipelines.workspace.doctor import examine

    findings = examine(workspace)
    if as_json:
        print_json([vars(finding) for finding in findings])
    else:
        rows = [(f.state, f.subject, f.message) for f in findings]
        print_table("Doctor", ("state", "what", "finding"), rows)
    return EXIT_REFUSED if any(finding.state == "bad" for finding in findings) else 0
