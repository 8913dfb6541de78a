"""Whoever only reads the books cannot write them, on SQLite and on PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from pipelines.books.audit import append_audit
from pipelines.books.books import (
    BOOKS_URL_VARIABLE,
    HEAD_REVISION,
    Books,
    BooksTooNewError,
    BooksUnavailableError,
)
from pipelines.books.read_only import BooksNotReadyError, open_read_only
from pipelines.books.tables import audit_log
from pipelines.workspace.workspace import Workspace


def test_reader_sees_what_is_written_and_writes_nothing(
    either_books: Books, tmp_path: Path
) -> None:
    with open_read_only(Workspace.open(tmp_path)) as reader:
        for number in range(2):
            with either_books.begin() as connection:
                append_audit(connection, "test", str(number), {})
            with reader.read() as connection:
                assert len(connection.execute(audit_log.select()).all()) == number + 1
        for statement in ("delete from loads", "create table x (y integer)", "drop table loads"):
            with (
                pytest.raises((DatabaseError, BooksUnavailableError), match=r"read-?only"),
                reader.begin() as connection,
            ):
                connection.execute(text(statement))


def test_reader_makes_no_books_and_migrates_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(BOOKS_URL_VARIABLE, raising=False)
    (tmp_path / "apportion.yml").write_text("name: x\n", "utf-8")
    workspace = Workspace.open(tmp_path)
    with pytest.raises(BooksNotReadyError, match="found none"), open_read_only(workspace):
        pass
    assert not workspace.books_path.exists()
    books = Books.open(workspace)
    for version, error in (("0001", BooksNotReadyError), ("9999", BooksTooNewError)):
        with books.begin() as connection:
            connection.execute(text(f"update alembic_version set version_num = '{version}'"))
        with pytest.raises(error, match=version), open_read_only(workspace):
            pass
    with books.begin() as connection:
        connection.execute(text(f"update alembic_version set version_num = '{HEAD_REVISION}'"))
    with open_read_only(workspace):
        pass
    books.close()
