"""Books on PostgreSQL are what the tables declare, keep their own rules, and move between databases
in either direction without a changed value."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from pipelines.books.audit import append_audit, find_chain_breaks
from pipelines.books.books import BOOKS_URL_VARIABLE, Books
from pipelines.books.portable import dump_books, load_books
from pipelines.books.tables import metadata
from pipelines.close.verify import verify
from pipelines.errors import UsageError
from pipelines.workspace.workspace import Workspace
from tests.closed_periods import close_period
from tests.postgres_server import PostgresDatabase

APPEND_ONLY = (
    *("audit_log", "quarantine_decisions", "hold_decisions", "periods", "period_steps"),
    *("accepted_blockers", "journal_exports", "dispatches"),
)
LOADS = (
    "insert into loads (load_id, source_id, contract_id, scenario_id, mapping_id, file_name, "
    "sha256, bytes, records_delivered, records_accepted, records_quarantined, amounts, notes, "
    "landed_at, landed_by, superseded_by, is_original_kept) values "
    "(1, 'gl', 'general_ledger', 'actual', 'm', 'ä.csv', 'a', 9007199254740993, 2, 1, 1, '{}', "
    "'[]', '', '', 2, true), "
    "(2, 'gl', 'general_ledger', 'actual', 'm', 'b.csv', 'b', 1, 1, 1, 0, '{}', '[]', '', '', "
    "null, false)"
)
FILL = (
    "insert into hold_decisions (load_id, decision, why, person_name, decided_at) "
    "values (2, 'released', 'fine', 'x', '')",
    "insert into quarantine_decisions (load_id, row_number, decision, values_before, values_after, "
    "why, person_name, decided_at) values (1, 1, 'discard', '{}', '{}', 'no cost', 'x', '')",
    "insert into accepted_blockers (scenario_id, period_id, version, blocker_id, finding, why, "
    "person_name, accepted_at) values ('actual', '2026-03', 1, 'b', 'f', 'w', 'x', '')",
    "insert into journal_exports (reference, period_id, version, layout, file_name, sha256, total, "
    "person_name, exported_at) values ('r', '2026-03', 1, 'sap', 'f', 'h', '1.00', 'x', '')",
    "insert into dispatches (period_id, version, is_preview, business_unit_id, channel, address, "
    "attempt, files, sha256, state, person_name, started_at) values "
    "('2026-03', 1, false, 'bu', 'mail', 'a@b.example', 1, '{}', 'h', 'sending', 'x', '')",
)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "apportion.yml").write_text("name: x\n", "utf-8")
    return Workspace.open(tmp_path)


@pytest.fixture(params=["sqlite", "postgresql"])
def books(
    request: pytest.FixtureRequest, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Books]:
    if request.param == "postgresql":
        database: PostgresDatabase = request.getfixturevalue("postgres_database")
        monkeypatch.setenv(BOOKS_URL_VARIABLE, database.address)
    else:
        monkeypatch.delenv(BOOKS_URL_VARIABLE, raising=False)
    made = Books.open(workspace)
    yield made
    made.close()


def _fill(books: Books) -> None:
    with books.begin() as connection:
        # A load refers to one that comes after it.
        connection.execute(text(LOADS))
        for statement in FILL:
            connection.execute(text(statement))
        append_audit(connection, "test", "Überschrift", {"amount": "1.00"})
    close_period(books, "2026-03")


def _read_all(books: Books) -> dict[str, list[dict[str, Any]]]:
    with books.read() as connection:
        return {
            table.name: [
                dict(row)
                for row in connection.execute(
                    table.select().order_by(*table.primary_key)
                ).mappings()
            ]
            for table in metadata.sorted_tables
        }


def test_migrations_make_what_the_tables_declare_on_both(books: Books) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with books.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_history_can_only_be_appended_to_on_both(books: Books, table: str) -> None:
    _fill(books)
    before = _read_all(books)[table]
    assert before
    statements = [f"delete from {table}", f"update {table} set person_name = 'somebody else'"]
    if table == "periods":
        statements[1] = "update periods set approved_by = 'somebody else'"
    if books.engine.dialect.name == "postgresql":
        statements.append(f"truncate {table} cascade")
    for statement in statements:
        with pytest.raises(DatabaseError), books.begin() as connection:
            connection.execute(text(statement))
    assert _read_all(books)[table] == before


def test_an_attempt_is_finished_once(books: Books) -> None:
    _fill(books)
    with books.begin() as connection:
        connection.execute(text("update dispatches set state = 'sent', finished_at = 'now'"))
    for statement in (
        "update dispatches set state = 'failed', error = 'no'",
        "update dispatches set address = 'other@b.example'",
    ):
        with (
            pytest.raises(DatabaseError, match="never rewritten"),
            books.begin() as connection,
        ):
            connection.execute(text(statement))
    with pytest.raises(DatabaseError, match="begins as sending"), books.begin() as connection:
        connection.execute(
            text(FILL[-1].replace("'sending'", "'sent'").replace(", 1, '{}'", ", 2, '{}'"))
        )
    with pytest.raises(DatabaseError, match=r"(?i)unique"), books.begin() as connection:
        connection.execute(text(FILL[-1]))


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
def test_books_move_between_databases(
    books: Books, target: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    _fill(books)
    dump = tmp_path / "books.jsonl"
    dump_books(books, dump)
    if target == "sqlite":
        other = Books.connect(f"sqlite:///{tmp_path / 'other.sqlite'}")
    else:
        server: PostgresDatabase = request.getfixturevalue("postgres_database")
        with server.server.connect() as admin:
            admin.execute("drop database if exists other")
            admin.execute("create database other")
        other = Books.connect(server.server.make_address("other"))
    load_books(dump, other)
    assert _read_all(other) == _read_all(books)
    # The rules are back, numbers go on, and so does the chain.
    with pytest.raises(DatabaseError), other.begin() as connection:
        connection.execute(text("delete from audit_log"))
    with pytest.raises(DatabaseError), other.begin() as connection:
        connection.execute(text("update periods set run_id = null"))
    with other.begin() as connection:
        connection.execute(text(FILL[0]))
        append_audit(connection, "test", "after the move", {})
    with other.read() as connection:
        assert find_chain_breaks(connection) == []
    with pytest.raises(UsageError, match="expected an empty database"):
        load_books(dump, other)
    other.close()


def test_nothing_arrives_of_books_that_are_cut_off(books: Books, tmp_path: Path) -> None:
    _fill(books)
    dump = tmp_path / "books.jsonl"
    dump_books(books, dump)
    lines = dump.read_text("utf-8").splitlines()
    dump.write_text("\n".join([*lines[:-1], lines[-1][:-5]]), "utf-8")
    other = Books.connect(f"sqlite:///{tmp_path / 'other.sqlite'}")
    with pytest.raises(json.JSONDecodeError):
        load_books(dump, other)
    assert not any(_read_all(other).values())
    other.close()


def test_verify_finds_a_changed_audit_log_on_both(books: Books, workspace: Workspace) -> None:
    with books.begin() as connection:
        for number in range(3):
            append_audit(connection, "test", f"subject {number}", {})
    assert verify(workspace, books).problems == []
    with books.begin() as connection:
        if books.engine.dialect.name == "postgresql":
            connection.execute(text("alter table audit_log disable trigger user"))
        else:
            connection.execute(text("drop trigger audit_log_no_update"))
        connection.execute(text("update audit_log set person_name = 'x' where sequence = 2"))
    assert verify(workspace, books).problems == [
        "audit log: record 2 was changed after it was written"
    ]
