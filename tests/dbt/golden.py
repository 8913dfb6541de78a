"""The golden workspaces: built once each by the real path, compared with figures worked by hand.

`tests/golden/<scenario>/README.md` works out what `expected/*.csv` holds; `inputs/` is a workspace.
"""

from __future__ import annotations

import csv
import shutil
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from pipelines.books.books import Books
from pipelines.landing.land import land_inbox
from pipelines.warehouse.build import build
from pipelines.warehouse.reader import open_published
from pipelines.workspace.workspace import Workspace

GOLDEN_DIRECTORY = Path(__file__).parents[1] / "golden"

Row = tuple[str, ...]


@dataclass(frozen=True)
class Golden:
    """A golden workspace that was landed and built."""

    name: str
    workspace: Workspace
    books: Books

    def read_expected(self, table: str) -> tuple[list[str], list[Row]]:
        """Column names and sorted rows of `expected/<table>.csv`."""
        path = GOLDEN_DIRECTORY / self.name / "expected" / f"{table}.csv"
        with path.open(newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file)
        return header, sorted(tuple(_write_plain(value) for value in row) for row in rows)

    def query(self, sql: str) -> list[Row]:
        """Sorted rows of a query on the published marts, as plain text."""
        with open_published(self.workspace) as connection:
            rows = connection.execute(sql).fetchall()
        return sorted(tuple(_write_plain(value) for value in row) for row in rows)


def build_golden(name: str, directory: Path) -> Golden:
    """Copy the inputs, land and build them."""
    golden = land_golden(name, directory)
    assert build(golden.workspace, golden.books).is_new
    return golden


def land_golden(name: str, directory: Path, added: dict[str, str] | None = None) -> Golden:
    """Copy the inputs and land them. Refused deliveries fail here, not later.

    `added`: text that is put at the end of files of the inbox, by the name of the file.
    """
    root = directory / name
    shutil.copytree(GOLDEN_DIRECTORY / name / "inputs", root)
    workspace = Workspace.open(root)
    books = Books.open(workspace)
    for file, text in (added or {}).items():
        with (workspace.inbox / file).open("a", encoding="utf-8") as delivery:
            delivery.write(text)
    for result in land_inbox(workspace, books):
        assert result.state == "landed", result
        assert result.records_quarantined == 0, result
    return Golden(name, workspace, books)


def _write_plain(value: object) -> str:
    """Numbers without needless zeros, truth in lower case, nothing as an empty text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    return format(number.normalize() + 0, "f") if number.is_finite() else str(value)
