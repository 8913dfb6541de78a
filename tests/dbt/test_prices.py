"""What is charged by price, recovered, trued up and passed on to another legal entity, by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pipelines.rerun.changes import ChangesRefusedError, WhatIf
from pipelines.rerun.engine import Scope, open_rerun
from pipelines.rerun.whatif import ask_rest_of_year, ask_what_if

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
    rows = prices.query(
        "select term_id, amount_cents from rpt_certificate "
        "where identity_id = 'billed' and period_id = '2026-02'"
    )
    found = {row[0]: row[1] for row in rows}
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


def test_a_dearer_price_is_seen_per_business_unit_before_it_is_made(prices: Golden) -> None:
    """Mail at 451.00 for both who use it: north 445.00 to 486.00, south 415.00 to 456.00. Of the
    1,040.00 of cost 180.00 are not recovered, then 98.00."""
    result = ask_what_if(prices.workspace, "2026-02", WhatIf(prices=("mail=+10%",)))
    assert {line.row_id: (str(line.before), str(line.after)) for line in result.lines} == {
        "north": ("445.00", "486.00"),
        "south": ("415.00", "456.00"),
        "(not_recovered)": ("180.00", "98.00"),
    }
    assert result.delivered_change == 0


def test_the_rest_of_the_year_sums_its_periods(prices: Golden) -> None:
    """January adds 42.00 and 56.00 to the 41.00 and 41.00 of February."""
    result = ask_rest_of_year(prices.workspace, "2026-01", WhatIf(prices=("mail=+10%",)))
    assert {line.row_id: str(line.change) for line in result.lines if line.change} == {
        "north": "83.00",
        "south": "97.00",
        "(not_recovered)": "-180.00",
    }
    assert [scope.period_id for scope in result.scopes] == ["2026-01", "2026-02"]


def test_a_service_at_cost_has_no_price_to_change(prices: Golden) -> None:
    with pytest.raises(ChangesRefusedError, match="'cloud' has the policy at_cost"):
        ask_what_if(prices.workspace, "2026-01", WhatIf(prices=("cloud=+10%",)))


def test_a_charge_beside_its_price_is_a_difference_of_the_certificate(prices: Golden) -> None:
    """The recovery is counted from the prices, so a cent too much at mail is not explained."""
    with open_rerun(prices.workspace, Scope("actual", "2026-01")) as rerun:
        rerun.replace(
            "marts.fct_charges_monthly",
            "select * replace (case when service_id = 'mail' and cost_centre_id = 'cc-a' "
            "then charged_amount + 0.01 else charged_amount end as charged_amount) "
            "from {relation}",
        )
        rerun.run(("marts.rpt_certificate",))
        rows = rerun.connection.execute(
            "select identity_id, amount_cents from marts.rpt_certificate "
            "where side = 'difference' and identity_id <> 'billed' order by identity_id"
        ).fetchall()
    assert rows == [("charged", Decimal("0.01")), ("ledger", Decimal(0))]
