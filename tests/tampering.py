"""Every kind of tampering with closed periods that `verify` finds, for tests of any workspace.

Each is done to a copy whose first two closes are two periods in a row, on SQLite.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
from sqlalchemy import text

from pipelines.close.desk import CloseDesk
from pipelines.warehouse.closed_periods import find_directory, name_close
from pipelines.warehouse.publication import read_publication, write_publication

CHARGES = "parquet/marts.fct_charges_monthly.parquet"
LINES = "parquet/marts.fct_ledger_lines.parquet"


@dataclass(frozen=True)
class Closes:
    """A desk whose first two closes are tampered with."""

    desk: CloseDesk
    first: str
    second: str

    def find(self, file: str = "", period: str = "") -> Path:
        """A file of a close, or its directory; of the first period where none is named."""
        return find_directory(self.desk.workspace, period or self.first, 1) / file

    @property
    def database(self) -> Path:
        """The frozen database of the first period."""
        return self.find(f"{name_close(self.first, 1)}.duckdb")

    def write_books(self, *statements: str) -> None:
        """Write to the books as one does who drops their triggers first."""
        with self.desk.books.begin() as connection:
            triggers = connection.execute(
                text("select name from sqlite_master where type = 'trigger'")
            ).scalars()
            for name in list(triggers):
                connection.execute(text(f"drop trigger {name}"))
            for statement in statements:
                connection.execute(text(statement))


def _flip(path: Path, position: int = -1) -> None:
    content = bytearray(path.read_bytes())
    content[position if position >= 0 else len(content) // 2] ^= 1
    path.write_bytes(content)


def _swap(first: Path, second: Path) -> None:
    third = first.with_name("third")
    first.rename(third)
    second.rename(first)
    third.rename(second)


def _make_link(path: Path, target: Path) -> None:
    path.rename(target)
    path.symlink_to(target)


def _change_manifest(closes: Closes, *, and_books: bool) -> None:
    """Another approver in the manifest; with the hash of it in the books, too."""
    path = closes.find("manifest.json")
    manifest = json.loads(path.read_text("utf-8"))
    manifest["approved_by"] = "Somebody Else"
    path.write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", "utf-8")
    if and_books:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        closes.write_books(
            f"update periods set manifest_hash = '{found}', approved_by = 'Somebody Else' "
            f"where period_id = '{closes.first}'",
            f"update periods set previous_hash = '{found}' where period_id = '{closes.second}'",
        )


def rewrite_database(
    closes: Closes, change: str = "update marts.fct_charges_monthly set cost_amount = 1"
) -> None:
    """Other rows in the second database, with sizes and hashes made to fit everywhere."""
    name = f"{name_close(closes.second, 1)}.duckdb"
    database = closes.find(name, closes.second)
    with duckdb.connect(str(database)) as connection:
        connection.execute(change)
        connection.execute("checkpoint")
    path = closes.find("manifest.json", closes.second)
    manifest = json.loads(path.read_text("utf-8"))
    for file in manifest["files"]:
        if file["name"] == name:
            content = database.read_bytes()
            file["bytes"], file["sha256"] = len(content), hashlib.sha256(content).hexdigest()
    path.write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", "utf-8")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    closes.write_books(
        f"update periods set manifest_hash = '{found}' where period_id = '{closes.second}'",
        f"update periods set previous_hash = '{found}' where close_number = 3",
    )


def _forget_in_pointer(closes: Closes) -> None:
    workspace = closes.desk.workspace
    publication = read_publication(workspace)
    write_publication(workspace, replace(publication, files=publication.files[:-1]))


def _swap_numbers(closes: Closes) -> None:
    place = "update periods set close_number = {} where period_id = '{}' and version = 1"
    closes.write_books(
        place.format(1000, closes.first),
        place.format(1, closes.second),
        place.format(2, closes.first),
    )


TAMPERING: dict[str, Callable[[Closes], Any]] = {
    "a flipped bit of the database": lambda c: _flip(c.database),
    "a flipped bit of its first block": lambda c: _flip(c.database, 9),
    "a flipped bit of a Parquet file": lambda c: _flip(c.find(CHARGES)),
    "a flipped bit of the manifest": lambda c: _flip(c.find("manifest.json")),
    "a database cut short": lambda c: c.database.write_bytes(c.database.read_bytes()[:-4096]),
    "a Parquet file made longer": lambda c: c.find(CHARGES).write_bytes(
        c.find(CHARGES).read_bytes() + b"\0"
    ),
    "an empty Parquet file": lambda c: c.find(LINES).write_bytes(b""),
    "a deleted Parquet file": lambda c: c.find(LINES).unlink(),
    "a deleted database": lambda c: c.database.unlink(),
    "a deleted manifest": lambda c: c.find("manifest.json").unlink(),
    "a deleted close": lambda c: shutil.rmtree(c.find()),
    "two Parquet files swapped": lambda c: _swap(c.find(CHARGES), c.find(LINES)),
    "two closes swapped": lambda c: _swap(c.find(), c.find(period=c.second)),
    "a file put beside": lambda c: c.find("parquet/more.parquet").write_bytes(b"x"),
    "a close put beside": lambda c: shutil.copytree(c.find(), c.find().with_name("2031-01.v1")),
    "a file that is a link": lambda c: _make_link(
        c.find(CHARGES), c.desk.workspace.root / "elsewhere"
    ),
    "a close that is a link": lambda c: _make_link(c.find(), c.desk.workspace.root / "elsewhere"),
    "a changed manifest": lambda c: _change_manifest(c, and_books=False),
    "a changed manifest with the books": lambda c: _change_manifest(c, and_books=True),
    "a changed database with manifest and books": rewrite_database,
    "another approver in the books": lambda c: c.write_books(
        f"update periods set approved_by = 'Somebody' where period_id = '{c.first}'"
    ),
    "a close deleted from the books": lambda c: c.write_books(
        f"delete from periods where period_id = '{c.first}'"
    ),
    "a period opened in the books": lambda c: c.write_books(
        f"update periods set state = 'open' where period_id = '{c.second}'"
    ),
    "two closes swapped in the books": _swap_numbers,
    "a changed record of the audit log": lambda c: c.write_books(
        "update audit_log set person_name = 'x' where action = 'period close'"
    ),
    "a deleted record of the audit log": lambda c: c.write_books(
        "delete from audit_log where action = 'period approve'"
    ),
    "a pointer that forgets a close": _forget_in_pointer,
}


def tamper(closes: Closes, kind: str) -> None:
    """Tamper with the first two closes. Their files can be written for that."""
    for period in (closes.first, closes.second):
        for path in closes.find(period=period).rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
    TAMPERING[kind](closes)
