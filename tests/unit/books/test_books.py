"""The books: migrations make what the tables declare, the audit log is only appended to, and
several processes write it without breaking its chain."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.exc import DatabaseError, IntegrityError

from pipelines.books.audit import FIRST_HASH, append_audit, find_chain_breaks, hash_record
from pipelines.books.books import (
    BOOKS_URL_VARIABLE,
    HEAD_REVISION,
    Books,
    BooksTooNewError,
)
from pipelines.books.tables import audit_log, loads, metadata
from pipelines.workspace.workspace import Workspace
from tests.postgres_server import PostgresDatabase

ROOT = Path(__file__).parents[3]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "apportion.yml").write_text("name: x\n", "utf-8")
    return Workspace.open(tmp_path)


@pytest.fixture
def books(workspace: Workspace) -> Iterator[Books]:
    made = Books.open(workspace)
    yield made
    made.close()


def _append(books: Books, count: int) -> None:
    for number in range(1, count + 1):
        with books.begin() as connection:
            append_audit(connection, "test", f"subject {number}", {"number": number})


def _breaks(books: Books) -> list[str]:
    with books.read() as connection:
        return find_chain_breaks(connection)


def _tamper(books: Books, *statements: str) -> None:
    """Change the log as one could who drops the trigger first."""
    with books.begin() as connection:
        for verb in ("update", "delete"):
            connection.execute(text(f"drop trigger if exists audit_log_no_{verb}"))
        for statement in statements:
            connection.execute(text(statement))


def test_migrations_make_what_the_tables_declare(books: Books) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with books.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_migrations_make_the_constraints_that_the_tables_declare(books: Books) -> None:
    """Alembic does not compare checks, so they are read from a database made of the metadata."""
    declared = create_engine("sqlite://")
    metadata.create_all(declared)

    def read(connection: Connection) -> dict[str, Any]:
        found = inspect(connection)
        return {
            table: (
                sorted((c["name"], c["sqltext"]) for c in found.get_check_constraints(table)),
                sorted(str(c["column_names"]) for c in found.get_unique_constraints(table)),
                sorted(str(k["constrained_columns"]) for k in found.get_foreign_keys(table)),
                found.get_pk_constraint(table)["constrained_columns"],
            )
            for table in metadata.tables
        }

    with books.read() as connection, declared.connect() as other:
        assert read(connection) == read(other)


def test_head_revision_is_the_newest_script() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", "pipelines.books:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD_REVISION]


def test_books_of_a_newer_version_are_refused(books: Books, workspace: Workspace) -> None:
    with books.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(BooksTooNewError, match="found 9999"):
        Books.open(workspace)


def test_opening_twice_changes_nothing(books: Books, workspace: Workspace) -> None:
    _append(books, 1)
    again = Books.open(workspace)
    assert _breaks(again) == []
    again.close()


def test_write_ahead_log_and_foreign_keys_are_on(books: Books) -> None:
    with books.read() as connection:
        assert connection.execute(text("pragma journal_mode")).scalar() == "wal"
        assert connection.execute(text("pragma foreign_keys")).scalar() == 1
        # 2 is FULL: a commit survives a loss of power.
        assert connection.execute(text("pragma synchronous")).scalar() == 2


@pytest.mark.parametrize(
    "statement",
    [
        "update audit_log set details = '{}' where sequence = 1",
        "delete from audit_log where sequence = 2",
        "delete from audit_log",
        "insert or replace into audit_log select sequence, recorded_at, 'somebody else', action, "
        "subject, details, previous_hash, record_hash from audit_log where sequence = 1",
    ],
)
def test_audit_log_can_only_be_appended_to(books: Books, statement: str) -> None:
    _append(books, 2)
    with (
        pytest.raises(DatabaseError, match="can only be appended to"),
        books.begin() as connection,
    ):
        connection.execute(text(statement))
    assert _breaks(books) == []


def test_chain_begins_and_goes_on(books: Books) -> None:
    _append(books, 3)
    with books.read() as connection:
        rows = [dict(row) for row in connection.execute(audit_log.select()).mappings()]
    assert [row["sequence"] for row in rows] == [1, 2, 3]
    assert rows[0]["previous_hash"] == FIRST_HASH
    assert rows[2]["previous_hash"] == rows[1]["record_hash"] == hash_record(rows[1])
    assert json.loads(rows[1]["details"]) == {"number": 2}


@pytest.mark.parametrize("column", ["recorded_at", "person_name", "action", "subject", "details"])
def test_change_of_any_field_is_found(books: Books, column: str) -> None:
    _append(books, 3)
    _tamper(books, f"update audit_log set {column} = 'other' where sequence = 2")
    assert _breaks(books) == ["record 2 was changed after it was written"]


def test_removal_is_found(books: Books) -> None:
    _append(books, 4)
    _tamper(books, "delete from audit_log where sequence = 2")
    assert _breaks(books) == [
        "record 2 is missing before record 3",
        "record 3 does not follow the one before it",
    ]


def test_removal_of_the_first_is_found(books: Books) -> None:
    _append(books, 2)
    _tamper(books, "delete from audit_log where sequence = 1")
    assert _breaks(books)[0] == "record 1 is missing before record 2"


def test_removal_with_renumbering_is_found(books: Books) -> None:
    _append(books, 3)
    _tamper(
        books,
        "delete from audit_log where sequence = 2",
        "update audit_log set sequence = 2 where sequence = 3",
    )
    assert "record 2 does not follow the one before it" in _breaks(books)


def test_reordering_is_found(books: Books) -> None:
    _append(books, 3)
    _tamper(
        books,
        "update audit_log set sequence = 9 where sequence = 2",
        "update audit_log set sequence = 2 where sequence = 3",
        "update audit_log set sequence = 3 where sequence = 9",
    )
    found = _breaks(books)
    assert "record 2 does not follow the one before it" in found
    assert "record 2 was changed after it was written" in found


def test_rolled_back_record_leaves_no_gap(books: Books) -> None:
    _append(books, 1)
    with pytest.raises(RuntimeError), books.begin() as connection:
        append_audit(connection, "test", "never", {})
        raise RuntimeError
    _append(books, 1)
    assert _breaks(books) == []


WRITER = """
import sys
from pathlib import Path
from pipelines.books.audit import append_audit
from pipelines.books.books import Books
from pipelines.workspace.workspace import Workspace
books = Books.open(Workspace.open(Path(sys.argv[1])))
for number in range(25):
    with books.begin() as connection:
        append_audit(connection, "test", sys.argv[2], {"number": number})
"""


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_two_processes_append_at_once(
    request: pytest.FixtureRequest,
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    """They also make the books at once, since neither finds any."""
    if kind == "postgresql":
        database: PostgresDatabase = request.getfixturevalue("postgres_database")
        monkeypatch.setenv(BOOKS_URL_VARIABLE, database.address)
    command = [sys.executable, "-c", WRITER, str(workspace.root)]
    children = [subprocess.Popen([*command, name], cwd=ROOT) for name in ("one", "other")]
    assert [child.wait(timeout=60) for child in children] == [0, 0]
    books = Books.open(workspace)
    assert _breaks(books) == []
    with books.read() as connection:
        subjects = [row.subject for row in connection.execute(audit_log.select())]
    assert sorted(subjects) == ["one"] * 25 + ["other"] * 25
    books.close()


def test_reader_waits_for_no_writer(books: Books, workspace: Workspace) -> None:
    other = Books.open(workspace)
    with books.begin() as connection:
        append_audit(connection, "test", "not yet committed", {})
        with other.read() as reading:
            assert reading.execute(audit_log.select()).all() == []
    with other.read() as reading:
        assert len(reading.execute(audit_log.select()).all()) == 1
    other.close()


def test_load_whose_counts_do_not_tie_is_refused(books: Books) -> None:
    row = {
        "source_id": "ledger",
        "contract_id": "general_ledger",
        "scenario_id": "actual",
        "mapping_id": "canonical",
        "file_name": "a.csv",
        "sha256": "0" * 64,
        "bytes": 1,
        "records_delivered": 3,
        "records_accepted": 1,
        "records_quarantined": 1,
        "amounts": "{}",
        "landed_at": "2026-01-31",
        "landed_by": "somebody",
    }
    with pytest.raises(IntegrityError, match="ck_loads_counts"), books.begin() as connection:
        connection.execute(loads.insert().values(**row))
    with pytest.raises(IntegrityError, match=r"source_id.*sha256"), books.begin() as connection:
        connection.execute(loads.insert().values(**{**row, "records_accepted": 2}))
        connection.execute(loads.insert().values(**{**row, "records_accepted": 2}))


def _make_older(workspace: Workspace) -> None:
    """Books of the schema before the newest, with something in them."""
    older = Books.connect(f"sqlite:///{workspace.books_path}")
    older.migrate("0005")
    with older.begin() as connection:
        append_audit(connection, "test", "before the upgrade", {})
    older.close()


def test_older_books_are_kept_aside_and_migrated(workspace: Workspace) -> None:
    _make_older(workspace)
    books = Books.open(workspace)
    assert books.find_revision() == HEAD_REVISION
    with books.begin() as connection:
        append_audit(connection, "test", "after the upgrade", {})
    books.close()
    kept = Books.connect(f"sqlite:///{workspace.root / 'books.0005.sqlite'}")
    assert kept.find_revision() == "0005"
    assert _breaks(kept) == []
    with kept.read() as connection:
        subjects = [row.subject for row in connection.execute(audit_log.select())]
    kept.close()
    assert subjects == ["before the upgrade"]


def test_upgrade_that_fails_leaves_the_last_good_state(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last migration breaks after it made its table: nothing of it stays."""
    from alembic import op

    _make_older(workspace)
    content = workspace.books_path.read_bytes()

    def fail(statement: str) -> None:
        raise RuntimeError(f"no space for {statement}")

    with monkeypatch.context() as patch:
        patch.setattr(op, "execute", fail)
        with pytest.raises(RuntimeError, match="no space for create trigger"):
            Books.open(workspace)
    assert workspace.books_path.read_bytes() == content
    older = Books.connect(f"sqlite:///{workspace.books_path}")
    assert older.find_revision() == "0005"
    older.close()
    repaired = Books.open(workspace)
    assert repaired.find_revision() == HEAD_REVISION
    repaired.close()


def test_new_books_leave_nothing_aside(books: Books, workspace: Workspace) -> None:
    assert sorted(path.name for path in workspace.root.glob("books*sqlite")) == ["books.sqlite"]


def test_doctor_says_which_schema_the_books_have(workspace: Workspace) -> None:
    from pipelines.workspace.doctor import _examine_books

    _make_older(workspace)
    first, _ = _examine_books(workspace)
    again, chain = _examine_books(workspace)
    assert first.message == (
        f"schema {HEAD_REVISION}, the newest, in sqlite; they were migrated just now from schema "
        "0005, which is kept as books.0005.sqlite"
    )
    assert again.message == f"schema {HEAD_REVISION}, the newest, in sqlite"
    assert chain.message == "the audit log is whole"
