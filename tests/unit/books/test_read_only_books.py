"""Books that are opened for reading only: nobody can write to them, whatever is asked of them, and
a reader neither makes nor migrates anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from pipelines.books.audit import append_audit
from pipelines.books.books import (
    BOOKS_URL_VARIABLE,
    Books,
    BooksOutdatedError,
    BooksReadOnlyError,
    BooksTooNewError,
)
from pipelines.books.tables import audit_log
from pipelines.errors import ApportionError
from pipelines.workspace.workspace import Workspace
from tests.postgres_server import PostgresDatabase

WRITES = (
    "insert into runs (run_id, fingerprint, state, started_at, person_name, steps) "
    "values ('r', 'f', 'running', 'now', 'nobody', '[]')",
    "delete from runs",
    "create table another (name text)",
    "drop table runs",
)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    # What has a meaning in an address is part of the path on purpose.
    root = tmp_path / "a b#c?mode=rwc%20"
    root.mkdir()
    (root / "apportion.yml").write_text("name: x\n", "utf-8")
    return Workspace.open(root)


def _append(workspace: Workspace, subject: str = "written") -> None:
    books = Books.open(workspace)
    with books.begin() as connection:
        append_audit(connection, "test", subject, {})
    books.close()


def _list_subjects(books: Books) -> list[str]:
    with books.read() as connection:
        return [row.subject for row in connection.execute(audit_log.select())]


def _check_nothing_can_be_written(workspace: Workspace) -> None:
    _append(workspace)
    books = Books.open_read_only(workspace)
    assert _list_subjects(books) == ["written"]
    for statement in WRITES:
        with (
            pytest.raises((DBAPIError, ApportionError), match=r"read-?only"),
            books.read() as found,
        ):
            found.execute(text(statement))
    with pytest.raises(BooksReadOnlyError, match="nothing was written"), books.begin():
        pass
    assert _list_subjects(books) == ["written"]
    _append(workspace, "later")
    assert _list_subjects(books) == ["written", "later"]
    books.close()


def test_nothing_can_be_written_to_sqlite(workspace: Workspace) -> None:
    _check_nothing_can_be_written(workspace)


def test_nothing_can_be_written_to_postgresql(
    workspace: Workspace, postgres_database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(BOOKS_URL_VARIABLE, postgres_database.address)
    _check_nothing_can_be_written(workspace)
    assert not workspace.books_path.exists()


def test_switching_the_guard_off_does_not_help(workspace: Workspace) -> None:
    """`query_only` can be undone by whoever may send statements; the mode of the file cannot."""
    _append(workspace)
    assert workspace.books_path.exists()
    books = Books.open_read_only(workspace)
    with pytest.raises(ApportionError, match="readonly database"), books.read() as connection:
        connection.execute(text("pragma query_only = off"))
        connection.execute(text(WRITES[0]))


def test_books_that_are_not_there_are_not_made(workspace: Workspace) -> None:
    with pytest.raises(BooksOutdatedError, match="found none"):
        Books.open_read_only(workspace)
    assert not workspace.books_path.exists()


def test_books_of_another_version_are_not_migrated(workspace: Workspace) -> None:
    for revision, expected in (("0001", BooksOutdatedError), ("9999", BooksTooNewError)):
        _append(workspace) if revision == "0001" else None
        books = _set_revision(workspace, revision)
        with pytest.raises(expected, match=f"found {revision}"):
            Books.open_read_only(workspace)
        with books.read() as connection:
            found = connection.execute(text("select version_num from alembic_version")).scalar()
        assert found == revision
        books.close()


def _set_revision(workspace: Workspace, revision: str) -> Books:
    from pipelines.books.books import find_url

    books = Books.connect(find_url(workspace))
    with books.begin() as connection:
        connection.execute(text("update alembic_version set version_num = :v"), {"v": revision})
    return books


def test_reading_sees_one_state_while_another_writes(workspace: Workspace) -> None:
    _append(workspace)
    books = Books.open_read_only(workspace)
    with books.read() as connection:
        before = connection.execute(audit_log.select()).all()
        _append(workspace, "meanwhile")
        assert connection.execute(audit_log.select()).all() == before
    assert _list_subjects(books) == ["written", "meanwhile"]
