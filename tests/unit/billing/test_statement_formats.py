"""How figures and sentences read."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import duckdb
import pytest

from pipelines.billing.formats import (
    format_amount,
    format_change,
    format_date,
    format_quantity,
    format_rate,
    format_share,
    format_share_change,
)
from pipelines.billing.notes import collect_notes, write_summary
from pipelines.billing.records import Statement
from pipelines.billing.statement import load_statement
from tests.unit.billing.conftest import bill_charges


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1234567.89", "1,234,567.89"),
        ("-0.004", "0.00"),
        ("-1234.5", "\u22121,234.50"),
        ("0.005", "0.01"),
        ("-0.005", "\u22120.01"),
        ("12345678901234567890123.45", "12,345,678,901,234,567,890,123.45"),
    ],
)
def test_amounts_round_half_away_from_zero(value: str, text: str) -> None:
    assert format_amount(Decimal(value)) == text


@pytest.mark.parametrize(
    ("value", "text"), [("5", "+5.00"), ("0", "0.00"), ("-5", "\u22125.00"), ("0.001", "0.00")]
)
def test_a_change_has_its_sign(value: str, text: str) -> None:
    assert format_change(Decimal(value)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1200.00000000", "1,200"),
        ("1234.567", "1,234.57"),
        ("0.000123456", "0.000123"),
        ("-3", "\u22123"),
        ("0", "0"),
    ],
)
def test_quantities_show_no_more_than_is_read(value: str, text: str) -> None:
    assert format_quantity(Decimal(value)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("12.5", "12.50"),
        ("333.3333333333", "333.3333"),
        ("1234.5600000000", "1,234.56"),
        ("0.0001234567", "0.000123"),
        ("0", "0.00"),
    ],
)
def test_rates_have_two_to_four_decimals_or_three_digits(value: str, text: str) -> None:
    assert format_rate(Decimal(value)) == text


def test_shares_and_their_changes() -> None:
    assert format_share(Decimal("0.9995"), 2) == "99.95%"
    assert format_share(None) == "\u2013"
    assert format_share_change(Decimal("400"), Decimal("2766.66")) == "+14.5%"
    assert format_share_change(Decimal("-5"), Decimal("-100")) == "\u22125.0%"
    assert format_share_change(Decimal("5"), Decimal(0)) is None


def test_a_date_is_english_everywhere() -> None:
    assert format_date(date(2026, 3, 1)) == "1 Mar 2026"


def test_the_summary_tells_total_and_changes(retail: Statement) -> None:
    """Hosting 666.66 - 300.00, mail 2,500.00 - 2,400.00, printing 0.00 - 66.66."""
    assert write_summary(retail) == (
        "For Mar 2026, Group IT bills Retail EUR 3,166.66 for 2 services used by 2 cost "
        "centres. This is EUR 400.00 (14.5%) more than in Feb 2026. It is EUR 133.34 (4.0%) less "
        "than the budget. Largest changes since Feb 2026, from 1 % on: Server hosting +366.66, "
        "E-mail +100.00, Printing \u221266.66."
    )


def test_an_estimated_driver_is_noted_with_its_money(retail: Statement) -> None:
    notes = {note.title: note.text for note in collect_notes(retail)}
    assert notes["Estimated quantities"] == (
        "On 1 line (EUR 333.33) the quantity is estimated, not measured: "
        "Server hosting (by Servers)."
    )
    assert "Preview, not final" not in notes
    assert "Reorganisation" not in notes


def test_an_open_period_is_a_preview(marts: duckdb.DuckDBPyConnection) -> None:
    marts.execute("update dim_periods set period_state = 'approved'")
    first = collect_notes(load_statement(marts, "2026-03", "RETAIL"))[0]
    assert first.title == "Preview, not final"
    assert "state: approved" in first.text


def test_a_unit_with_showback_only_is_charged_nothing(marts: duckdb.DuckDBPyConnection) -> None:
    marts.execute("delete from rpt_bill_lines where service_id <> 'wifi'")
    marts.execute("update fct_charges_monthly set charged_amount = 0 where period_id = '2026-03'")
    bill_charges(marts)
    retail = load_statement(marts, "2026-03", "RETAIL")
    assert write_summary(retail).startswith("For Mar 2026, Group IT bills Retail nothing.")
    assert retail.showback_total == Decimal("100.00")


def test_a_reorganisation_is_told_with_its_money(marts: duckdb.DuckDBPyConnection) -> None:
    marts.execute(
        "update fct_charges_monthly set business_unit_id = 'LOGISTICS', "
        "business_unit_name = 'Logistics' where period_id = '2026-02' and cost_centre_id = '4200'"
    )
    bill_charges(marts)
    notes = {
        note.title: note.text for note in collect_notes(load_statement(marts, "2026-03", "RETAIL"))
    }
    assert notes["Reorganisation"] == (
        "Stores South (4200) came from Logistics with this period; its EUR 1,333.33 are in the "
        "total but not in the amounts of Feb 2026."
    )
