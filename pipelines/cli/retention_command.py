"""`apportion gc`: remove what a workspace does not need any more."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.output import (
    JsonOption,
    WorkspaceOption,
    print_error,
    print_json,
    print_table,
)
from pipelines.errors import EXIT_DONE, EXIT_USAGE

MEBIBYTE = 1 << 20


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(gc)


def gc(
    yes: Annotated[bool, typer.Option("--yes", help="Remove it; otherwise it is listed.")] = False,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """List, or remove, old publications and leftovers; never what the books or a close name."""
    from pipelines.books.books import Books
    from pipelines.operation.retention import clean
    from pipelines.workspace.workspace import Workspace

    space = Workspace.open(workspace)
    books = Books.open(space)
    try:
        done = clean(space, books, is_removing=yes)
    finally:
        books.close()
    if as_json:
        print_json(done)
    else:
        for failure in done.failures:
            print_error(failure)
        rows = [
            (item.path.relative_to(space.root), f"{item.bytes / MEBIBYTE:,.1f}", item.why)
            for item in done.removable
        ]
        if rows:
            title = "Removed" if yes else "Not needed"
            print_table(title, ["what", "MiB", "why"], rows, numeric=[1])
        size = f"{done.bytes / MEBIBYTE:,.1f} MiB"
        if not rows:
            print("There is nothing to remove.")
        elif yes:
            print(f"{size} removed; the audit log lists it.")
        else:
            print(f"{size} could be removed: 'apportion gc --yes'.")
    return EXIT_USAGE if done.failures else EXIT_DONE
