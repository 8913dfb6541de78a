"""`apportion send`: bring the statements of a period to the business units."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.output import (
    JsonOption,
    WorkspaceOption,
    print_json,
    print_table,
    show_progress,
)
from pipelines.cli.period_commands import PeriodArgument
from pipelines.errors import EXIT_DONE, EXIT_USAGE

if TYPE_CHECKING:
    from pipelines.dispatch.send import Outcome


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(send)


def send(
    period: PeriodArgument,
    business_unit: Annotated[
        list[str] | None,
        typer.Option("--business-unit", "-b", help="Business unit; again for more. Default: all."),
    ] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Of a period that is not closed, to look at.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Also to those who have got theirs already.")
    ] = False,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Send the statements of a closed period by mail or into a folder, to each address once."""
    from pipelines.books.books import Books
    from pipelines.dispatch.send import send_statements
    from pipelines.workspace.workspace import Workspace

    space = Workspace.open(workspace)
    books = Books.open(space)
    try:
        with show_progress(is_silent=as_json) as progress:
            outcomes = send_statements(
                space,
                books,
                period,
                business_unit,
                is_preview=preview,
                is_again=again,
                on_progress=progress.update,
            )
    finally:
        books.close()
    if as_json:
        print_json(outcomes)
    else:
        _print_outcomes(period, outcomes)
    return EXIT_DONE if all(outcome.is_good for outcome in outcomes) else EXIT_USAGE


def _print_outcomes(period: str, outcomes: list[Outcome]) -> None:
    rows = [(item.business_unit_id, item.address, item.state, item.message) for item in outcomes]
    print_table(f"Statements of {period}", ["business unit", "address", "state", "why"], rows)
    left = sum(not outcome.is_good for outcome in outcomes)
    if left:
        print(f"{left} are left; the same command sends only those.")
