"""How figures are written."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from app import formats
from tests.app.conftest import clean


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Decimal("1240312.07"), "1.24 M EUR"),
        (Decimal("-1240312.07"), "-1.24 M EUR"),
        (Decimal("2500000000"), "2.50 bn EUR"),
        (Decimal("312449.99"), "312.4 k EUR"),
        (Decimal("999960"), "1.00 M EUR"),
        (Decimal("9999.99"), "9,999.99 EUR"),
        (Decimal("845.1"), "845.10 EUR"),
        (Decimal(0), "0.00 EUR"),
        (None, formats.MISSING),
        (float("nan"), formats.MISSING),
    ],
)
def test_amount_has_three_or_four_digits_and_its_currency(value: object, expected: str) -> None:
    assert clean(formats.format_amount(value, "EUR")) == expected  # type: ignore[arg-type]


def test_exact_amount_keeps_cents_beyond_what_a_float_holds() -> None:
    assert (
        clean(formats.format_exact(Decimal("12345678901234567.89"), "EUR"))
        == "12,345,678,901,234,567.89 EUR"
    )


def test_half_is_rounded_away_from_zero() -> None:
    assert formats.format_number(Decimal("0.125"), 2) == "0.13"
    assert formats.format_number(Decimal("-0.125"), 2) == "-0.13"
    assert formats.format_number(Decimal("-0.001"), 2) == "0.00"


@pytest.mark.parametrize(
    ("current", "previous", "expected"),
    [
        (Decimal(1031), Decimal(1000), "+3.1 %"),
        (Decimal(996), Decimal(1000), "-0.4 %"),
        (Decimal("1000.1"), Decimal(1000), "0.0 %"),
        (Decimal(-50), Decimal(-100), "+50.0 %"),
        (Decimal(5), Decimal(0), formats.MISSING),
        (Decimal(5), None, formats.MISSING),
        (None, Decimal(5), formats.MISSING),
    ],
)
def test_change_has_a_sign(current: Decimal, previous: Decimal, expected: str) -> None:
    assert clean(formats.format_change(current, previous)) == expected


@pytest.mark.parametrize(
    ("current", "expected"),
    [(1032, "3.2 % over budget"), (990, "1.0 % under budget"), (1000, "on budget")],
)
def test_budget_is_said_in_words(current: int, expected: str) -> None:
    assert clean(formats.describe_against(current, 1000, "budget")) == expected
    assert formats.describe_against(current, None, "budget") == ""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Decimal("58.2"), "58.20 EUR"),
        (Decimal("0.0421"), "0.0421 EUR"),
        (Decimal("0.0000123456"), "0.0000123 EUR"),
        (Decimal(0), "0.00 EUR"),
    ],
)
def test_rate_keeps_three_significant_digits(value: Decimal, expected: str) -> None:
    assert clean(formats.format_rate(value, "EUR")) == expected


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [(45, "45 min"), (60, "1 h"), (252, "4 h 12 min"), (4560, "3 d 4 h"), (2880, "2 d")],
)
def test_duration_is_said_in_the_largest_unit(minutes: int, expected: str) -> None:
    assert clean(formats.format_duration(minutes)) == expected


def test_period_is_named_and_anything_else_left_alone() -> None:
    assert clean(formats.format_period("2026-03")) == "Mar 2026"
    assert formats.format_period("2026-13") == "2026-13"
    assert formats.format_period("FY26P3") == "FY26P3"
    assert clean(formats.format_period("2026-P13")) == "P13 2026"


def test_a_period_that_is_no_month_is_not_called_one() -> None:
    assert (formats.name_step("2026-03"), formats.name_step("2026-P03")) == ("month", "period")


def test_quantity_has_its_unit() -> None:
    assert clean(formats.format_quantity(Decimal(312), "seat")) == "312 seat"
    assert clean(formats.format_quantity(Decimal("1240000"), "GB")) == "1.24 M GB"
    assert clean(formats.format_quantity(Decimal("2.5"), "h")) == "2.5 h"


def test_share_is_scaled_to_the_unit_of_its_reference() -> None:
    assert formats.scale_share(Decimal("0.995"), "percent") == Decimal("99.5")
    assert formats.scale_share(Decimal("0.995"), "share") == Decimal("0.995")
    assert formats.scale_share(None, "percent") is None


def test_a_column_of_small_amounts_has_cents() -> None:
    assert formats.choose_places([Decimal("0.24"), None]) == 2
    assert formats.choose_places([Decimal("0.24"), Decimal("-10000")]) == 0
    assert formats.choose_places([]) == 2


def test_points_of_percent_for_columns() -> None:
    assert formats.to_percent_points(Decimal(110), Decimal(100)) == 10.0
    assert formats.to_percent_of(Decimal(1), Decimal(8)) == 12.5
    assert formats.to_percent_of(Decimal(1), Decimal(0)) is None


def test_markdown_from_data_is_shown_as_it_is() -> None:
    text = "[pay](http://evil) *now* $x$ :material/bolt: <b> a\nb"
    escaped = formats.escape_markdown(text)
    assert not re.search(r"(?<!\\)[\[\]()*$:<>]|\n", escaped)
    assert escaped.replace("\\", "") == text.replace("\n", " ")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "\t=1", "\r=1", " =1"])
def test_formula_is_neutralised(text: str) -> None:
    assert formats.neutralise_formula(text) == f"'{text}"


@pytest.mark.parametrize("value", ["Sales", "a=b", "", Decimal("-5.00"), -5, None])
def test_what_is_no_formula_stays(value: object) -> None:
    assert formats.neutralise_formula(value) is value
