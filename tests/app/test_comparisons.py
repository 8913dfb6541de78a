"""How a figure moved: with what it may be compared, in which words, and with which colour."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

import pytest

from app.comparisons import compare_months, compare_reference
from app.components import make_moving_figure, make_variance_figure
from pipelines.workspace.materiality import Materiality
from tests.app.conftest import FEBRUARY, clean

LIMITED = dataclasses.replace(FEBRUARY, materiality=Materiality(amount=Decimal(50)))
PARTIAL = dataclasses.replace(FEBRUARY, missing="no delivery of timesheets")
AFTER = dataclasses.replace(FEBRUARY, previous_missing="postings to 12 Jan only")


@pytest.mark.parametrize(
    ("now", "before", "text", "is_rise"),
    [
        ("1100", "1000", "+10.0 % on Jan 2026", True),
        ("900", "1000", "-10.0 % on Jan 2026", False),
        # 4.9 % are below 50.00, and 60.00 of 10,000.00 below 1 %.
        ("1049", "1000", "+4.9 % on Jan 2026", None),
        ("10060", "10000", "+0.6 % on Jan 2026", None),
        ("1000", "1000", "0.0 % on Jan 2026", None),
        # Of nothing, and from a credit to a cost, no percentage says anything.
        ("100", "0", "+100.00 EUR on Jan 2026", True),
        ("100", "-40", "+140.00 EUR on Jan 2026", True),
        ("-100", "40", "-140.00 EUR on Jan 2026", False),
        ("-100", "-200", "+50.0 % on Jan 2026", True),
        ("100", None, "no month before", None),
    ],
)
def test_an_amount_beside_the_month_before(
    now: str, before: str | None, text: str, is_rise: bool | None
) -> None:
    found = compare_months(LIMITED, Decimal(now), before and Decimal(before), "EUR")
    assert found is not None
    assert (clean(found.text), found.is_rise) == (text, is_rise)


def test_a_rate_is_judged_by_its_percentage_alone() -> None:
    found = compare_months(LIMITED, Decimal("0.11"), Decimal("0.10"))
    assert found is not None and found.is_rise
    near = compare_months(LIMITED, Decimal("0.1005"), Decimal("0.10"))
    assert near is not None and near.is_rise is None


def test_a_month_that_is_not_whole_neither_rose_nor_fell() -> None:
    for selection, text in ((PARTIAL, "month not complete"), (AFTER, "Jan 2026 not complete")):
        found = compare_months(selection, Decimal(500), Decimal(1000), "EUR")
        assert found is not None
        assert (clean(found.text), found.is_rise) == (text, None)
    budget = compare_reference(PARTIAL, Decimal(500), Decimal(1000), "budget", "EUR")
    assert budget is not None and budget.is_rise is None
    assert "no delivery of timesheets" in str(budget.help_text)
    # The month after a partial one has its own budget all the same.
    whole = compare_reference(AFTER, Decimal(500), Decimal(1000), "budget", "EUR")
    assert whole is not None and whole.is_rise is False


def test_figures_take_their_colour_from_the_materiality() -> None:
    dear = make_moving_figure("Cost", "1", Decimal(1100), Decimal(1000), LIMITED, currency="EUR")
    assert dear.is_delta_bad is True
    billed = make_moving_figure("Billed", "1", Decimal(1100), Decimal(1000), LIMITED, is_cost=False)
    assert billed.is_delta_bad is None
    over = make_variance_figure(Decimal(1049), Decimal(1000), LIMITED, "EUR")
    assert (clean(str(over.delta)), over.is_delta_bad) == ("4.9 % over budget", None)
    assert "Changes have a colour from 50.00 EUR and 1 % on." in str(over.help_text)
    free = make_variance_figure(Decimal(70), Decimal(0), LIMITED, "EUR")
    assert (clean(str(free.delta)), free.is_delta_bad) == ("70.00 EUR over budget", True)
