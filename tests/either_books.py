"""Books on SQLite and on PostgreSQL: a test that asks for `either_books` runs on both; and a line
of a bill to dispute in them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.books.books import BOOKS_URL_VARIABLE, Books
from pipelines.disputes.bill_items import BillItem
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


@pytest.fixture
def line() -> BillItem:
    """Sales was charged 162.98 EUR for e-mail in January."""
    return BillItem(
        *("2026-01", 1, "c1", "charge", "c1", "mail", "E-mail", "cc-sales", "Field sales"),
        *("SAL", "Sales", "EUR", Decimal("162.98")),
    )
