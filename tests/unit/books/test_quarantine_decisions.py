"""Decisions in the books: migrated to without loss, only appended to, and read as the latest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError, IntegrityError

from pipelines.books.audit import append_audit, append_audits, find_chain_breaks
from pipelines.books.books import HEAD_REVISION, Books
from pipelines.books.engines import make_engine
from pipelines.books.tables import audit_log, loads, quarantine_decisions
from pipelines.landing.quarantine_log import read_decisions
from pipelines.workspace.workspace import Workspace

LOAD = {
    "source_id": "ledger",
    "contract_id": "general_ledger",
    "scenario_id": "actual",
    "mapping_id": "canonical",
    "file_name": "a.csv",
    "sha256": "0" * 64,
    "bytes": 1,
    "records_delivered": 3,
    "records_accepted": 1,
    "records_quarantined": 2,
    "amounts": "{}",
    "landed_at": "2026-01-31",
    "landed_by": "somebody",
}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "apportion.yml").write_text("name: x\n", "utf-8")
    return Workspace.open(tmp_path)


@pytest.fixture
def books(workspace: Workspace) -> Iterator[Books]:
    made = Books.open(workspace)
    with made.begin() as connection:
        connection.execute(loads.insert().values(**LOAD))
    yield made
    made.close()


def _decision(row: int, decision: str, correction: str | None, **changes: Any) -> dict[str, Any]:
    return {
        "load_id": 1,
        "row_number": row,
        "decision": decision,
        "values_before": "{}",
        "values_after": "{}",
        "correction_id": correction,
        "why": "known",
        "person_name": "somebody",
        "decided_at": "2026-02-01",
        **changes,
    }


def _insert(books: Books, *rows: dict[str, Any]) -> None:
    with books.begin() as connection:
        for row in rows:
            connection.execute(quarantine_decisions.insert().values(**row))


def _make_first_books(workspace: Workspace) -> None:
    """Books as revision 0001 left them, with a load, a run and two records of the audit log."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "pipelines.books:migrations")
    books = Books(make_engine(f"sqlite:///{workspace.books_path}"))
    with books.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    with books.begin() as connection:
        connection.execute(loads.insert().values(**LOAD))
        connection.execute(text("insert into load_periods values (1, '2026-01')"))
        append_audit(connection, "land", "ledger/a.csv", {"delivered": 3})
        append_audit(connection, "publish", "run", {})
    books.close()


def _read_all(books: Books) -> dict[str, list[Any]]:
    with books.read() as connection:
        return {
            table: [
                dict(row) for row in connection.execute(text(f"select * from {table}")).mappings()
            ]
            for table in ("loads", "load_periods", "audit_log")
        }


def test_upgrade_of_the_first_books_keeps_their_data(workspace: Workspace) -> None:
    _make_first_books(workspace)
    first = Books(make_engine(f"sqlite:///{workspace.books_path}"))
    before = _read_all(first)
    first.close()
    assert [len(rows) for rows in before.values()] == [1, 1, 2]
    books = Books.open(workspace)
    after = _read_all(books)
    # Newer books have more columns; those of the first ones are as they were.
    assert {
        table: [{name: row[name] for name in before[table][0]} for row in rows]
        for table, rows in after.items()
    } == before
    with books.read() as connection:
        assert find_chain_breaks(connection) == []
        assert read_decisions(connection) == {}
        version = connection.execute(text("select version_num from alembic_version")).scalar()
    assert version == HEAD_REVISION
    _insert(books, _decision(2, "discard", None))
    with (
        pytest.raises(DatabaseError, match="the audit log can only be appended to"),
        books.begin() as connection,
    ):
        connection.execute(text("delete from audit_log"))
    books.close()


@pytest.mark.parametrize(
    "statement",
    [
        "update quarantine_decisions set why = 'another'",
        "delete from quarantine_decisions",
        "insert or replace into quarantine_decisions select decision_id, load_id, row_number, "
        "decision, values_before, values_after, correction_id, 'another', person_name, "
        "decided_at, reading from quarantine_decisions",
    ],
)
def test_decisions_can_only_be_appended_to(books: Books, statement: str) -> None:
    _insert(books, _decision(2, "discard", None))
    with (
        pytest.raises(DatabaseError, match="can only be appended to"),
        books.begin() as connection,
    ):
        connection.execute(text(statement))


@pytest.mark.parametrize(
    ("row", "constraint"),
    [
        (_decision(2, "release", None), "ck_quarantine_decisions_correction"),
        (_decision(2, "discard", "c" * 64), "ck_quarantine_decisions_correction"),
        (_decision(2, "ignore", None), "ck_quarantine_decisions_decision"),
        (_decision(2, "discard", None, why="  "), "ck_quarantine_decisions_why"),
        (_decision(2, "discard", None, load_id=9), "FOREIGN KEY"),
    ],
)
def test_decision_that_says_nothing_sound_is_refused(
    books: Books, row: dict[str, Any], constraint: str
) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        _insert(books, row)


def test_latest_decision_counts_and_tells_what_it_overtook(books: Books) -> None:
    one, other = "1" * 64, "2" * 64
    _insert(
        books,
        _decision(2, "release", one),
        _decision(3, "release", one),
        _decision(4, "release", one),
        _decision(3, "discard", None),
        _decision(4, "release", other),
        _decision(5, "release", other),
        _decision(5, "discard", None),
    )
    with books.read() as connection:
        found = read_decisions(connection)[1]
    assert [(item.row_number, item.decision) for item in found.current] == [
        (2, "release"),
        (3, "discard"),
        (4, "release"),
        (5, "discard"),
    ]
    assert [(c.correction_id, c.rows, c.overtaken) for c in found.corrections] == [
        (one, (2,), (3, 4)),
        (other, (4,), (5,)),
    ]
    assert (found.released_rows, found.discarded_rows) == ([2, 4], [3, 5])


def test_correction_whose_rows_are_all_overtaken_is_not_read(books: Books) -> None:
    _insert(books, _decision(2, "release", "1" * 64), _decision(2, "discard", None))
    with books.read() as connection:
        assert read_decisions(connection)[1].corrections == ()


def test_audit_records_written_together_are_one_chain(books: Books) -> None:
    with books.begin() as connection:
        append_audit(connection, "test", "first", {})
        last = append_audits(connection, [("test", f"subject {n}", {"n": n}) for n in range(3)])
        assert append_audits(connection, []) == last
    with books.read() as connection:
        assert find_chain_breaks(connection) == []
        rows = connection.execute(audit_log.select().order_by(audit_log.c.sequence)).all()
    assert [(row.sequence, row.subject) for row in rows] == [
        (1, "first"),
        (2, "subject 0"),
        (3, "subject 1"),
        (4, "subject 2"),
    ]
    assert rows[-1].record_hash == last
