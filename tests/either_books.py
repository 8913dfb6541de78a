"""Books on SQLite and on PostgreSQL: a test that asks for `either_books` runs on both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.books.books import BOOKS_URL_VARIABLE, Books
from pipelines.workspace.workspace import Workspace
from tests.postgres_server import PostgresDatabase


@pytest.fixture(params=["sqlite", "postgresql"])
def either_books(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Books]:
    """Empty books of a workspace of their own."""
    if request.param == "postgresql":
        database: PostgresDatabase = request.getfixturevalue("postgres_database")
        monkeypatch.setenv(BOOKS_URL_VARIABLE, database.address)
    else:
        monkeypatch.delenv(BOOKS_URL_VARIABLE, raising=False)
    (tmp_path / "apportion.yml").write_text("name: x\n", "utf-8")
    made = Books.open(Workspace.open(tmp_path))
    yield made
    made.close()
