"""A workspace of thirteen periods of four weeks: ../golden/fiscal_weeks/README.md."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.books.books import Books
from pipelines.close.close_period import close_period
from pipelines.close.desk import CloseDesk
from pipelines.errors import ControlError
from pipelines.warehouse.build import build
from pipelines.warehouse.publication import read_publication
from pipelines.workspace.workspace import Workspace
from tests.closed_periods import approve_published
from tests.dbt.golden import Golden, build_golden

MARTS = {"detail_feeds": "rpt_detail_feeds", "charges": "fct_charges_monthly"}


@pytest.fixture(scope="module")
def fiscal_weeks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Golden]:
    golden = build_golden("fiscal_weeks", tmp_path_factory.mktemp("fiscal_weeks"))
    yield golden
    golden.books.close()


@pytest.mark.parametrize("name", MARTS)
def test_marts_hold_the_figures_worked_by_hand(fiscal_weeks: Golden, name: str) -> None:
    columns, expected = fiscal_weeks.read_expected(name)
    assert fiscal_weeks.query(f"select {', '.join(columns)} from {MARTS[name]}") == expected


def test_the_ledger_is_the_total_of_every_period(fiscal_weeks: Golden) -> None:
    """Sums of its postings: 1,000 + 20 + 28, 2,000 + 100 + 28, 500 + 40 + 28."""
    assert fiscal_weeks.query(
        "select period_id, amount from rpt_certificate where term_id = 'delivered'"
    ) == [("2026-P12", "1048"), ("2026-P13", "2128"), ("2027-P01", "568")]


def test_periods_are_named_by_their_number(fiscal_weeks: Golden) -> None:
    assert fiscal_weeks.query(
        "select period_name, period_start, fiscal_year, fiscal_period from dim_periods"
    ) == [
        ("P01 2027", "2026-03-29", "2027", "1"),
        ("P12 2026", "2026-02-01", "2026", "12"),
        ("P13 2026", "2026-03-01", "2026", "13"),
    ]


def test_depreciation_counts_days(fiscal_weeks: Golden) -> None:
    """89.00 over the 89 days from 1 February to 30 April are 1.00 a day, 28 days in a period."""
    assert fiscal_weeks.query(
        "select period_id, depreciation_amount_local, convention_code from fct_depreciation_monthly"
    ) == [
        ("2026-P12", "28", "by_day"),
        ("2026-P13", "28", "by_day"),
        ("2027-P01", "28", "by_day"),
    ]


def test_checks_compare_a_period_with_the_one_before(fiscal_weeks: Golden) -> None:
    found = fiscal_weeks.query(
        "select period_id, previous_record_count from rpt_data_source_periods "
        "where source_id = 'service_usage'"
    )
    assert found == [("2026-P12", ""), ("2026-P13", "2"), ("2027-P01", "2")]


def test_days_of_a_closed_period_do_not_move(fiscal_weeks: Golden, tmp_path: Path) -> None:
    """P12 was closed with 1 to 28 February. Weeks that end on Fridays make it 31 January to 27
    February: the calendar is refused, and what was published stays."""
    root = tmp_path / "company"
    shutil.copytree(fiscal_weeks.workspace.root, root, ignore=shutil.ignore_patterns(".dbt"))
    books = Books.open(Workspace.open(root))
    desk = CloseDesk(Workspace.open(root), books)
    approve_published(desk, "2026-P12")
    close_period(desk, "2026-P12")
    published = read_publication(desk.workspace)
    settings = root / "apportion.yml"
    settings.write_text(settings.read_text("utf-8").replace("saturday", "friday"), "utf-8")
    with pytest.raises(ControlError) as caught:
        build(Workspace.open(root), books)
    books.close()
    assert "2026-P12 is 2026-02-01 to 2026-02-28, number 12 of 2026" in str(caught.value)
    assert "in the calendar 2026-P12 is 2026-01-31 to 2026-02-27" in str(caught.value)
    assert read_publication(desk.workspace) == published
