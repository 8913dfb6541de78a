"""`apportion journal`: what finance posts so that the ledger says what was charged."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.output import JsonOption, WorkspaceOption, print_json
from pipelines.cli.period_commands import PeriodArgument
from pipelines.errors import EXIT_DONE


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(journal)


def journal(
    period: PeriodArgument,
    layout: Annotated[
        str | None, typer.Option("--layout", help="generic, sap, oracle, or one of your own.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Directory; default journals.")
    ] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="A file to look at, of a period that is not closed.")
    ] = False,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Write the journal of a closed period: balanced per legal entity, and tied to the bills."""
    from pipelines.billing.export_journal import export_journal
    from pipelines.books.books import Books
    from pipelines.workspace.workspace import Workspace

    space = Workspace.open(workspace)
    books = Books.open(space)
    done = export_journal(space, books, period, layout, output, is_preview=preview)
    books.close()
    posted = done.journal
    if as_json:
        print_json(
            {
                "reference": posted.reference,
                "path": done.path,
                "layout": done.layout,
                "entries": len(posted.entries),
                "total": posted.total,
                "exported_before": done.exported_before,
            }
        )
        return EXIT_DONE
    print(
        f"{done.path}: {len(posted.entries)} entries, {posted.total:,.2f} {posted.currency_code} "
        f"billed, reference {posted.reference}."
    )
    if done.exported_before:
        print(
            f"It was exported before, on {done.exported_before}: the same entries under the same "
            "reference. Post it once."
        )
    return EXIT_DONE
