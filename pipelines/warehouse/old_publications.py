"""Which published files nobody needs any more: all but those that are in force, the newest ones,
and those of runs that people have signed and not closed yet.

What closed periods need lies in files of their own, which are never among these.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.warehouse.publication import Publication

if TYPE_CHECKING:
    from pipelines.books.books import Books
    from pipelines.workspace.workspace import Workspace

SIGNED_STATES = ("calculated", "reviewed", "approved")


def find_signed_runs(books: Books) -> set[str]:
    """Runs whose figures were calculated, reviewed or approved for a period that is not closed."""
    from sqlalchemy import select

    from pipelines.books.tables import periods

    with books.read() as connection:
        rows = connection.execute(
            select(periods.c.run_id).where(periods.c.state.in_(SIGNED_STATES))
        )
        return {str(row.run_id) for row in rows}


def find_old_publications(
    workspace: Workspace, books: Books, publication: Publication
) -> list[Path]:
    """The DuckDB files of publications that may go; each has a manifest `.json` beside it."""
    current = {file.name for file in publication.files}
    needed = {f"run-{run_id}" for run_id in find_signed_runs(books)}
    files = sorted(workspace.warehouse.glob("run-*.duckdb"), key=lambda path: path.name)
    return [
        path
        for path in files[: -workspace.config.retention.publications]
        if path.name not in current and path.stem not in needed
    ]
