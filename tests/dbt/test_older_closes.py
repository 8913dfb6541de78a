"""A period that an older version closed, without a mart and a column that came later, is read and
verified; a row that is missing in it is found as before."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from pipelines.books.books import Books
from pipelines.close import figures
from pipelines.close.close_period import close_period
from pipelines.close.desk import CloseDesk
from pipelines.close.verify import verify
from pipelines.warehouse.closed_periods import find_directory
from pipelines.warehouse.older_closes import find_relation
from pipelines.warehouse.publication import read_publication
from pipelines.warehouse.reader import open_published
from pipelines.workspace.workspace import Workspace
from tests.closed_periods import approve_published

from .golden import Golden

JANUARY = "2026-01"
QUALITIES = (
    "select period_id, count(driver_quality) > 0 from rpt_bill_lines "
    "where scenario_id = 'actual' group by all order by all"
)
ITEMS = "select * from fct_bill_items_monthly where scenario_id = 'actual' order by all"


@pytest.fixture(scope="module")
def older(small_company: Golden, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small company, whose January was closed when bills had no items of their own."""
    root = tmp_path_factory.mktemp("older") / "company"
    shutil.copytree(small_company.workspace.root, root, ignore=shutil.ignore_patterns(".dbt"))
    workspace = Workspace.open(root)
    (opened,) = read_publication(workspace).files
    path = workspace.warehouse / opened.name
    later = path.read_bytes()
    with duckdb.connect(str(path)) as connection:
        connection.execute("drop table marts.fct_bill_items_monthly")
        connection.execute("alter table marts.rpt_bill_lines drop column driver_quality")
    books = Books.open(workspace)
    desk = CloseDesk(workspace, books)
    with pytest.MonkeyPatch.context() as patch:
        # That version signed what it had.
        earlier = [mart for mart in figures.SIGNED_MARTS if mart != "fct_bill_items_monthly"]
        patch.setattr(figures, "SIGNED_MARTS", tuple(earlier))
        approve_published(desk, JANUARY)
        close_period(desk, JANUARY)
    books.close()
    path.write_bytes(later)
    return root


@pytest.fixture
def books(older: Path) -> Iterator[Books]:
    opened = Books.open(Workspace.open(older))
    yield opened
    opened.close()


def test_it_was_frozen_without(older: Path) -> None:
    directory = find_directory(Workspace.open(older), JANUARY, 1)
    assert not (directory / "parquet" / "marts.fct_bill_items_monthly.parquet").exists()
    assert (directory / "parquet" / "marts.rpt_bill_lines.parquet").exists()


def test_readers_see_its_bills(older: Path, small_company: Golden) -> None:
    with open_published(small_company.workspace) as marts:
        expected = marts.execute(ITEMS).fetchall()
        assert JANUARY in {row[1] for row in expected}
        known = dict(marts.execute(QUALITIES).fetchall())
    with open_published(Workspace.open(older)) as marts:
        assert marts.execute(ITEMS).fetchall() == expected
        described = marts.execute("describe fct_bill_items_monthly").fetchall()
        left = dict(marts.execute(QUALITIES).fetchall())
    assert (known[JANUARY], left[JANUARY]) == (True, False)
    assert {row[0]: row[1] for row in described}["amount"] == "DECIMAL(28,2)"


def test_it_is_verified_in_depth(older: Path, books: Books) -> None:
    assert verify(Workspace.open(older), books, deep=True).problems == []


def test_its_bills_are_summed_of_its_lines(older: Path, tmp_path: Path) -> None:
    """The stand-in is what is compared: a line less is a sum less."""
    frozen = find_directory(Workspace.open(older), JANUARY, 1) / f"{JANUARY}.v1.duckdb"
    shutil.copy(frozen, tmp_path / "frozen.duckdb")
    with duckdb.connect(str(tmp_path / "frozen.duckdb")) as connection:
        relation = find_relation(connection, "fct_bill_items_monthly", "frozen")
        query = f"select sum(amount) from {relation}"
        before = connection.execute(query).fetchone()
        certified = connection.execute(
            "select sum(amount) from marts.rpt_certificate "
            "where identity_id = 'billed' and term_id = 'billed'"
        ).fetchone()
        connection.execute(
            "delete from marts.rpt_bill_lines where charged_amount = "
            "(select max(charged_amount) from marts.rpt_bill_lines)"
        )
        after = connection.execute(query).fetchone()
    assert before == certified
    assert after != certified
