"""What is charged by price, recovered, trued up and passed on to another legal entity, by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest

from .golden import Golden

TABLES = {
    "charges": ("fct_charges_monthly", "disposition = 'allocated'"),
    "recovery": ("fct_recovery_monthly", "true"),
    "bill_items": ("fct_bill_items_monthly", "item_kind <> 'charge'"),
}


@pytest.mark.parametrize("table", TABLES)
def test_prices_are_as_worked_by_hand(prices: Golden, table: str) -> None:
    mart, condition = TABLES[table]
    header, expected = prices.read_expected(table)
    assert expected
    assert prices.query(f"select {', '.join(header)} from {mart} where {condition}") == expected


def test_the_certificate_says_what_was_recovered(prices: Golden) -> None:
    """January: 1,374.20 of cost are charged at 1,471.47; the 97.27 are recovered on top."""
    found = prices.query(
        "select term_id, amount_cents from rpt_certificate "
        "where identity_id = 'charged' and period_id = '2026-01'"
    )
    assert found == [
        ("charged", "1471.47"),
        ("charged_cost", "1374.2"),
        ("difference", "0"),
        ("recovery", "97.27"),
    ]


def test_bills_hold_charges_transfers_and_true_ups(prices: Golden) -> None:
    """February: 820.00 + 25.00 + 15.00 charged; 82.73 to settle the year; 60.66 to Switzerland."""
    found = dict(
        prices.query(
            "select term_id, amount_cents from rpt_certificate "
            "where identity_id = 'billed' and period_id = '2026-02'"
        )
    )
    assert found["charged"] == "860"
    assert Decimal(found["true_ups"]) == sum(
        (Decimal(row[5]) for row in prices.read_expected("bill_items")[1] if row[1] == "true_up"),
        Decimal(0),
    )
    assert found["true_ups"] == "82.73"
    assert found["transfers"] == "60.66"
    assert found["difference"] == "0"


def test_a_bill_shows_the_price(prices: Golden) -> None:
    """2.50 per unit where that is the price; the cost of a unit where it is charged at cost."""
    found = prices.query(
        "select period_id, unit_rate from rpt_bill_lines where service_id = 'cloud'"
    )
    assert found == [("2026-01", "4"), ("2026-02", "2.5")]
