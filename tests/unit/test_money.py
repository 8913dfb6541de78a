"""Minor units by ISO 4217, rounding half away from zero, and no floats."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pipelines.money import list_minor_unit_exceptions, minor_unit_digits, round_to_minor_unit


@pytest.mark.parametrize(
    ("currency", "digits"), [("EUR", 2), ("USD", 2), ("JPY", 0), ("KRW", 0), ("KWD", 3), ("TND", 3)]
)
def test_minor_unit(currency: str, digits: int) -> None:
    assert minor_unit_digits(currency) == digits


def test_exceptions_are_those_that_differ_from_two() -> None:
    exceptions = list_minor_unit_exceptions()
    assert 2 not in exceptions
    assert "JPY" in exceptions[0]
    assert "BHD" in exceptions[3]
    for digits, codes in exceptions.items():
        assert [minor_unit_digits(code) for code in codes] == [digits] * len(codes)
        assert len(set(codes)) == len(codes)


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        ("1.005", "EUR", "1.01"),
        ("-1.005", "EUR", "-1.01"),
        ("2.675", "EUR", "2.68"),
        ("1.004999999999", "EUR", "1.00"),
        ("0.5", "JPY", "1"),
        ("-0.5", "JPY", "-1"),
        ("2.5", "JPY", "3"),
        ("1.0005", "KWD", "1.001"),
        ("7", "EUR", "7.00"),
    ],
)
def test_rounding_is_half_away_from_zero(amount: str, currency: str, rounded: str) -> None:
    result = round_to_minor_unit(Decimal(amount), currency)
    assert str(result) == rounded


def test_float_is_refused_at_the_door() -> None:
    with pytest.raises(TypeError, match="never a float"):
        round_to_minor_unit(1.005, "EUR")  # type: ignore[arg-type]
