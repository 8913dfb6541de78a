"""The figure that says how sure a charge is."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.confidence import find_shares, make_confidence_figure
from app.queries.confidence import read_confidence
from app.queries.published import Published
from tests.app.conftest import FEBRUARY, clean


def make_row(*parts: int | None) -> dict[str, Decimal | None]:
    names = ("measured_amount", "estimated_amount", "stale_amount", "fallback_amount")
    return {
        name: None if part is None else Decimal(part)
        for name, part in zip(names, parts, strict=True)
    }


def test_the_largest_part_that_is_not_measured_is_named() -> None:
    figure = make_confidence_figure(make_row(820, 100, 30, 50), "EUR")
    assert figure is not None
    assert (clean(figure.value), clean(str(figure.delta))) == ("82.0 %", "10.0 % estimated")
    assert figure.help_text is not None
    assert clean(figure.help_text).startswith(
        "measured 820.00 EUR, estimated 100.00 EUR, stale 30.00 EUR, fallback 50.00 EUR. "
    )


@pytest.mark.parametrize(
    ("parts", "measured"),
    [
        # A credit as a whole has the shares of a cost.
        ((-82, -18, 0, 0), "0.82"),
        # Signs that mix count by their size: 60 of 60 + 40, although the net cost is 20.
        ((60, -40, 0, 0), "0.6"),
        ((50, 0, 0, -50), "0.5"),
    ],
)
def test_parts_count_by_their_size(parts: tuple[int, ...], measured: str) -> None:
    shares = find_shares(make_row(*parts))
    assert shares["measured"] == Decimal(measured)
    assert sum(shares.values()) == 1


@pytest.mark.parametrize("parts", [(0, 0, 0, 0), (None, None, None, None)])
def test_without_money_there_is_no_figure(parts: tuple[int | None, ...]) -> None:
    assert make_confidence_figure(make_row(*parts), "EUR") is None


def test_parts_of_the_period_and_of_a_service(published: Published) -> None:
    row = read_confidence(published, FEBRUARY).iloc[0]
    assert (row["cost_amount"], row["fallback_amount"]) == (Decimal(930), Decimal(80))
    row = read_confidence(published, FEBRUARY, "intranet").iloc[0]
    assert (row["cost_amount"], row["measured_amount"]) == (Decimal(80), Decimal(0))
