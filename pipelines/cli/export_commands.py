"""`apportion export`: bills as files that other programs read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.output import JsonOption, WorkspaceOption, print_json
from pipelines.cli.period_commands import PeriodArgument
from pipelines.errors import EXIT_DONE, EXIT_REFUSED


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    group = typer.Typer(help="Write bills as files that other programs read.", no_args_is_help=True)
    group.command("focus")(focus)
    group.command("check")(check)
    app.add_typer(group, name="export")


def focus(
    period: PeriodArgument,
    focus_version: Annotated[
        str, typer.Option("--focus-version", help="Version of FOCUS: 1.4 or 1.2.")
    ] = "1.4",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Directory; default exports.")
    ] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Files to look at, of a period that is not closed.")
    ] = False,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Write the bills of a closed period as FOCUS, checked and tied to the statements."""
    from pipelines.billing.focus.export_focus import export_focus
    from pipelines.books.books import Books
    from pipelines.workspace.workspace import Workspace

    space = Workspace.open(workspace)
    books = Books.open(space)
    done = export_focus(space, books, period, focus_version, output, is_preview=preview)
    books.close()
    rows = {name: table.num_rows for name, table in done.bills.tables.items()}
    if as_json:
        print_json(
            {
                "directory": done.directory,
                "focus_version": done.focus_version,
                "rows": rows,
                "invoices": len(done.bills.invoices),
                "total": done.bills.total,
            }
        )
        return EXIT_DONE
    listed = ", ".join(f"{name} {count}" for name, count in rows.items())
    print(
        f"{done.directory}: FOCUS {done.focus_version}, {len(done.bills.invoices)} invoices, "
        f"{done.bills.total:,.2f} {done.bills.currency_code} billed. Rows: {listed}."
    )
    return EXIT_DONE


def check(
    path: Annotated[Path, typer.Argument(help="A directory that was exported, or one file.")],
    as_json: JsonOption = False,
) -> int:
    """Check files of FOCUS: columns, types, values, rules between columns, and sums."""
    from pipelines.billing.focus.check_files import check_directory, check_file

    problems = check_directory(path) if path.is_dir() else check_file(path)
    if as_json:
        print_json([vars(problem) for problem in problems])
    elif problems:
        print("\n".join(str(problem) for problem in problems))
    else:
        print(f"{path}: nothing is wrong.")
    return EXIT_REFUSED if problems else EXIT_DONE
