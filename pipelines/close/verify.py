"""Verify the closed periods: from bytes, from the chain, and from sums; nothing is trusted twice.

- *bytes*: every file that a manifest names has its size and hash, and no other file lies beside;
- *chain*: the books' row of every close names the manifest by its hash, each manifest names the one
  before, the numbers have no gap, and the audit log, whose records are chained themselves, has seen
  every close with the same manifest;
- *pointer*: what readers attach is what the books call closed;
- *deep*: tables and Parquet copies have the rows and sums of the manifest, the figures hash to what
  was signed, and the certificate is computed anew from the frozen charges.

Guarantees that a flipped byte and a file that was cut, swapped, added or deleted are found. Known
limit: whoever can rewrite files, books and audit log together leaves no trace here; the hash of the
newest manifest, kept elsewhere, is what shows it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.books.audit import FIRST_HASH, find_chain_breaks
from pipelines.close.figures import SIGNED_MARTS, hash_figures
from pipelines.close.freeze import sum_table
from pipelines.close.manifest import FrozenFile, Manifest, hash_manifest, parse_manifest
from pipelines.errors import ControlError, NothingPublishedError
from pipelines.warehouse.closed_periods import (
    CLOSED_NAME,
    CLOSED_ROLE,
    MANIFEST_NAME,
    find_directory,
    list_closed_files,
    name_close,
)
from pipelines.warehouse.older_closes import find_relation
from pipelines.warehouse.publication import hash_file, read_publication

if TYPE_CHECKING:
    import duckdb
    from sqlalchemy import Connection, RowMapping

    from pipelines.books.books import Books
    from pipelines.workspace.workspace import Workspace

HASHING_THREADS = 2
READ_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Verification:
    """What was verified and what is wrong with it."""

    closes: int
    files: int
    bytes: int
    head_hash: str
    """Hash of the newest manifest: the head of the chain."""
    problems: list[str]


def verify(
    workspace: Workspace,
    books: Books,
    *,
    deep: bool = False,
    on_close: Callable[[str, int, int], None] = lambda *_: None,
) -> Verification:
    """Look at every close. Problems are sentences; none means that all of it holds."""
    with books.read() as connection:
        rows = _list_closes(connection)
        problems = [f"audit log: {text}" for text in find_chain_breaks(connection)]
        problems += _compare_with_audit(connection, rows)
    problems += _find_strangers(workspace, rows)
    head, files, size = FIRST_HASH, 0, 0
    for number, row in enumerate(rows, start=1):
        name = name_close(row["period_id"], row["version"])
        on_close(f"Verifying: {name}", number - 1, len(rows))
        problems += [f"{name}: {text}" for text in _check_chain(row, number, head)]
        head = str(row["manifest_hash"])
        directory = find_directory(workspace, row["period_id"], row["version"])
        manifest, found = _read_manifest(directory, row)
        if manifest is not None:
            found += [*_check_books(manifest, row), *_check_files(directory, manifest)]
            if deep and not found:
                found += _check_content(directory, manifest)
            files += len(manifest.files)
            size += sum(file.bytes for file in manifest.files)
        problems += [f"{name}: {text}" for text in found]
    problems += _check_pointer(workspace, books)
    return Verification(len(rows), files, size, head, problems)


def _list_closes(connection: Connection) -> list[RowMapping]:
    from sqlalchemy import select

    from pipelines.books.tables import periods

    query = select(periods).where(periods.c.state == "closed").order_by(periods.c.close_number)
    return list(connection.execute(query).mappings())


def _compare_with_audit(connection: Connection, rows: list[RowMapping]) -> Iterator[str]:
    """What the audit log says was closed, against what the books say."""
    from sqlalchemy import select

    from pipelines.books.tables import audit_log

    query = select(audit_log.c.subject, audit_log.c.details).where(
        audit_log.c.action == "period close"
    )
    logged = {
        (details["period_id"], details["version"]): details["manifest_hash"]
        for details in (json.loads(row.details) for row in connection.execute(query))
    }
    booked = {(row["period_id"], row["version"]): row["manifest_hash"] for row in rows}
    for key in sorted({*logged, *booked}):
        if logged.get(key) != booked.get(key):
            yield (
                f"{name_close(*key)}: the audit log has the manifest {_show(logged.get(key))}, "
                f"the books have {_show(booked.get(key))}"
            )


def _find_strangers(workspace: Workspace, rows: list[RowMapping]) -> Iterator[str]:
    """Directories of no close. One that a crash left behind is swept away by the next close."""
    known = {name_close(row["period_id"], row["version"]) for row in rows}
    directory = workspace.warehouse / CLOSED_NAME
    if directory.exists():
        for path in sorted(directory.iterdir()):
            if path.name not in known:
                yield f"{path.name}: lies in {CLOSED_NAME}/ and no close names it"


def _check_chain(row: RowMapping, number: int, head: str) -> Iterator[str]:
    if row["close_number"] != number:
        yield f"is close number {row['close_number']}, expected {number}: one is missing"
    if row["previous_hash"] != head:
        yield f"does not follow the close before it ({_show(head)})"


def _read_manifest(directory: Path, row: RowMapping) -> tuple[Manifest | None, list[str]]:
    path = directory / MANIFEST_NAME
    try:
        content = path.read_bytes()
    except OSError as error:
        return None, [f"its manifest cannot be read: {error.strerror}"]
    found = hash_manifest(content)
    problems = []
    if found != row["manifest_hash"]:
        expected = _show(row["manifest_hash"])
        problems.append(f"its manifest was changed: expected {expected}, found {_show(found)}")
    try:
        return parse_manifest(content), problems
    except (ValueError, KeyError, TypeError):
        return None, [*problems, "its manifest cannot be understood"]


def _check_books(manifest: Manifest, row: RowMapping) -> Iterator[str]:
    """What the manifest says of the close, against the books."""
    for name in (
        *("period_id", "version", "close_number", "previous_hash", "run_id", "content_hash"),
        *("prepared_by", "reviewed_by", "approved_by"),
    ):
        if getattr(manifest, name) != row[name]:
            yield (
                f"{name} differs: the manifest says {getattr(manifest, name)}, "
                f"the books say {row[name]}"
            )


def _check_files(directory: Path, manifest: Manifest) -> list[str]:
    if directory.is_symlink():
        return ["its directory is a link"]
    found = dict(_list_entries(str(directory)))
    with ThreadPoolExecutor(HASHING_THREADS) as pool:
        checked = pool.map(lambda file: _check_file(found.get(file.name), file), manifest.files)
        problems = [text for text in checked if text is not None]
    known = {MANIFEST_NAME, *(file.name for file in manifest.files)}
    problems += [
        f"{name} lies beside its files and does not belong to them"
        for name in sorted(set(found) - known)
    ]
    return problems


def _list_entries(directory: str, inside: str = "") -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Everything below a directory that is no directory itself, links among it, by its name."""
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _list_entries(entry.path, f"{inside}{entry.name}/")
            else:
                yield f"{inside}{entry.name}", entry


def _check_file(entry: os.DirEntry[str] | None, file: FrozenFile) -> str | None:
    if entry is None:
        return f"{file.name} is missing"
    if entry.is_symlink():
        return f"{file.name} is a link"
    try:
        size = entry.stat().st_size
        if size != file.bytes:
            return f"{file.name} has {size:,} bytes, expected {file.bytes:,}"
        if _hash(entry.path, size) != file.sha256:
            return f"{file.name} has other bytes than were frozen"
    except OSError as error:
        return f"{file.name} cannot be read: {error.strerror}"
    return None


def _hash(path: str, size: int) -> str:
    """A close has a hundred small files, for which a buffer would cost more than their bytes."""
    if size > READ_AT_ONCE:
        return hash_file(Path(path))
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _check_content(directory: Path, manifest: Manifest) -> list[str]:
    """Rows and sums of both copies, what was signed, and the certificate, from the files alone."""
    import duckdb

    name = name_close(manifest.period_id, manifest.version)
    problems = []
    with duckdb.connect() as connection:
        path = str(directory / f"{name}.duckdb").replace("'", "''")
        connection.execute(f"attach '{path}' as frozen (read_only)")
        for table in manifest.tables:
            schema, bare = table.name.split(".", 1)
            parquet = str(directory / "parquet" / f"{table.name}.parquet").replace("'", "''")
            for what, relation in (
                ("the table", f'frozen."{schema}"."{bare}"'),
                ("the Parquet copy", f"read_parquet('{parquet}')"),
            ):
                found = sum_table(connection, relation, table.name)
                if found != table:
                    problems.append(f"{what} {table.name} has other rows or sums than frozen")
        problems += _check_signed(connection, manifest)
        problems += _check_certificate(connection)
    return problems


def _check_signed(connection: duckdb.DuckDBPyConnection, manifest: Manifest) -> list[str]:
    """What was calculated, reviewed and approved, hashed anew."""
    there = {table.name for table in manifest.tables}
    # An older version signed the marts that it had.
    signed = [f"marts.{mart}" for mart in SIGNED_MARTS if f"marts.{mart}" in there]
    relations = [f"frozen.{name}" for name in signed]
    if hash_figures(connection, manifest.period_id, relations) == manifest.content_hash:
        return []
    return ["the frozen figures are not those that were signed"]


def _check_certificate(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The certificate's sums, made again of the frozen charges and cost lines."""
    # A period that was closed by an older version has no items of bills.
    items = find_relation(connection, "fct_bill_items_monthly", "frozen")
    row = connection.execute(
        f"""
        with certificate as (
            select identity_id, term_id, amount from frozen.marts.rpt_certificate
        )
        select
            (select sum(amount) from certificate
                where identity_id = 'charged' and term_id = 'charged'),
            (select coalesce(sum(charged_amount), 0) from frozen.marts.fct_charges_monthly),
            (select sum(amount) from certificate
                where identity_id = 'ledger' and term_id not in ('delivered', 'difference')),
            (select sum(amount) from certificate
                where identity_id = 'ledger' and term_id = 'delivered'),
            (select coalesce(sum(abs(amount)), 0) from certificate where term_id = 'difference'),
            (select sum(amount) from certificate
                where identity_id = 'billed' and term_id = 'billed'),
            (select coalesce(sum(amount), 0) from {items})
        """
    ).fetchone()
    assert row is not None
    certified, charged, accounted, delivered, difference, billed, lines = row
    problems = []
    if certified != charged:
        problems.append(f"the certificate has {certified} charged, the charges sum to {charged}")
    if accounted != delivered:
        problems.append(
            f"the ledger delivered {delivered}, the certificate accounts for {accounted}"
        )
    if difference:
        problems.append(f"the certificate has a difference of {difference}")
    if billed != lines:
        problems.append(f"the certificate has {billed} billed, the bills sum to {lines}")
    return problems


def _check_pointer(workspace: Workspace, books: Books) -> list[str]:
    try:
        expected = list_closed_files(workspace, books)
        found = tuple(f for f in read_publication(workspace).files if f.role == CLOSED_ROLE)
    except NothingPublishedError:
        return []
    except ControlError as error:
        return [str(error)]
    if expected == found:
        return []
    return ["CURRENT names other closed files than the books do; 'apportion build' repairs it"]


def _show(value: str | None) -> str:
    return f"{value[:12]}…" if value else "none"
