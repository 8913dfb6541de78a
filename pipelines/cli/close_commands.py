"""`apportion close` and `apportion verify`: freeze a period, and prove that it stayed so."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.output import (
    JsonOption,
    WorkspaceOption,
    print_error,
    print_json,
    show_progress,
)
from pipelines.cli.period_commands import AsOption, PeriodArgument, open_period_desk
from pipelines.errors import EXIT_DONE, EXIT_REFUSED

MEBIBYTE = 1 << 20


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command()(close)
    app.command()(verify)


def close(
    period: PeriodArgument,
    person: AsOption = None,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Close an approved period: its figures are frozen, and never change again."""
    from pipelines.close.close_period import close_period

    with (
        open_period_desk(workspace, person) as desk,
        show_progress(is_silent=as_json) as progress,
    ):
        done = close_period(desk, period, lambda step: progress.update(step, 0, 0))
    if as_json:
        print_json({"state": done.state, "directory": done.directory})
    else:
        print(
            f"{period} is closed as version {done.state.version}, close number "
            f"{done.state.close_number}. Its files: {done.directory}\n"
            f"Manifest: {done.state.manifest_hash}"
        )
    return EXIT_DONE


def verify(
    deep: Annotated[
        bool, typer.Option("--deep", help="Count tables and certificate again, too.")
    ] = False,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Verify that every closed period is what was closed: bytes, chain, books and audit log."""
    from pipelines.books.books import Books
    from pipelines.close.verify import verify as verify_closes
    from pipelines.workspace.workspace import Workspace

    space = Workspace.open(workspace)
    books = Books.open(space)
    with show_progress(is_silent=as_json) as progress:
        found = verify_closes(space, books, deep=deep, on_close=progress.update)
    books.close()
    if as_json:
        print_json(found)
    else:
        for problem in found.problems:
            print_error(problem)
        size = f"{found.files:,} files of {found.bytes / MEBIBYTE:,.1f} MiB"
        said = f"{len(found.problems)} problems" if found.problems else "all as they were closed"
        print(f"{found.closes} closes with {size}: {said}.")
        if found.closes and not found.problems:
            print(f"Head of the chain: {found.head_hash}")
    return EXIT_REFUSED if found.problems else EXIT_DONE
