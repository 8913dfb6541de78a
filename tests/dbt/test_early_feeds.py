"""Detail feeds ahead of the ledger: what is not yet posted is named, and netted out when it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.dbt.golden import Golden, build_golden

MARTS = {
    "balancing": ("fct_ledger_lines", "is_balancing"),
    "detail_feeds": ("rpt_detail_feeds", "true"),
    "charges": ("fct_charges_monthly", "disposition = 'allocated'"),
}


@pytest.fixture(scope="module")
def early_feeds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Golden]:
    golden = build_golden("early_feeds", tmp_path_factory.mktemp("early_feeds"))
    yield golden
    golden.books.close()


@pytest.mark.parametrize("name", MARTS)
def test_marts_hold_the_figures_worked_by_hand(early_feeds: Golden, name: str) -> None:
    mart, condition = MARTS[name]
    columns, expected = early_feeds.read_expected(name)
    found = early_feeds.query(f"select {', '.join(columns)} from {mart} where {condition}")
    assert found == expected


def test_a_balancing_line_says_why_it_is_there(early_feeds: Golden) -> None:
    names = early_feeds.query(
        "select distinct balancing_kind, description from fct_ledger_lines "
        "where is_balancing and source_id = 'bill'"
    )
    assert names == [
        ("not_yet_posted", "not yet posted, explained by the detail feed bill"),
        ("posted_late", "posted late, explained by the detail feed bill in an earlier period"),
        ("unexplained", "not explained by the detail feed bill"),
    ]


def test_the_ledger_decides_what_a_month_costs(early_feeds: Golden) -> None:
    """Sums of the ledger's postings: ../golden/early_feeds/README.md."""
    assert early_feeds.query(
        "select period_id, amount from rpt_certificate where term_id = 'delivered'"
    ) == [("2026-01", "1000"), ("2026-02", "2165"), ("2026-03", "845"), ("2026-04", "500")]


def test_a_bill_of_a_month_without_a_ledger_is_an_open_item(early_feeds: Golden) -> None:
    """May has a bill of USD 30.00, no rate and no ledger: it is no month, and not silent."""
    assert early_feeds.query(
        "select period_id, item_key, item_name from rpt_open_items "
        "where item_kind = 'feed_without_ledger'"
    ) == [
        ("2026-04", "bill", "bill explains USD 30.00 of 2026-05, for which there is no ledger"),
    ]
