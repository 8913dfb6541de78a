"""Which periods an amount for a year or quarter is divided over, and by what."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import ValidationError

from pipelines.workspace.fiscal_calendar import Calendar
from pipelines.workspace.phasing import Phasing, list_phases

FROM_APRIL = Calendar(
    first_period="2025-04", last_period="2027-03", fiscal_year_start_month=4
).periods()


def _weights(phasing: Phasing, delivered: str) -> dict[str, int | None]:
    return {
        phase.period_id: phase.weight
        for phase in list_phases(FROM_APRIL, phasing)
        if phase.delivered_period_id == delivered
    }


def test_a_fiscal_year_from_april_is_twelve_months_to_march() -> None:
    found = _weights(Phasing(), "2026-04")
    assert list(found) == [f"2026-{n:02d}" for n in range(4, 13)] + [
        "2027-01",
        "2027-02",
        "2027-03",
    ]
    assert set(found.values()) == {1}
    # Any period of the year says which year is meant.
    assert _weights(Phasing(), "2027-02") == found


def test_days_are_those_of_the_periods() -> None:
    """April has 30 days, February 2027 has 28, and the year has 365."""
    found = _weights(Phasing(by="days"), "2026-04")
    assert (found["2026-04"], found["2027-02"]) == (30, 28)
    assert sum(weight or 0 for weight in found.values()) == 365


def test_a_quarter_is_of_the_fiscal_year() -> None:
    phasing = Phasing(
        over="quarter", by="weights", weights=(Decimal(1), Decimal(1), Decimal("2.5"))
    )
    assert _weights(phasing, "2026-08") == {
        "2026-07": 1_000_000,
        "2026-08": 1_000_000,
        "2026-09": 2_500_000,
    }


def test_last_year_is_the_period_of_the_same_number() -> None:
    shapes = {
        phase.period_id: phase.shape_period_id
        for phase in list_phases(FROM_APRIL, Phasing(by="last_year"))
    }
    assert (shapes["2026-04"], shapes["2027-03"]) == ("2025-04", "2026-03")
    # The first year of the calendar has none before it: the division is even then.
    assert shapes["2025-04"] is None


def test_a_year_that_the_calendar_cuts_is_none() -> None:
    """January to December, in a fiscal year from April: neither year is whole."""
    cut = Calendar(first_period="2026-01", last_period="2026-12", fiscal_year_start_month=4)
    assert list_phases(cut.periods(), Phasing()) == []
    assert {phase.period_id for phase in list_phases(cut.periods(), Phasing(over="quarter"))} == {
        f"2026-{n:02d}" for n in range(1, 13)
    }


def test_weights_are_one_per_period() -> None:
    with pytest.raises(ValueError, match="2 weights for the 12 periods of a year"):
        list_phases(FROM_APRIL, Phasing(by="weights", weights=(Decimal(1), Decimal(2))))


@pytest.mark.parametrize(
    "given",
    [{"by": "weights"}, {"weights": (Decimal(1),)}, {"by": "weights", "weights": (Decimal(0),)}],
)
def test_weights_without_a_use_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Phasing.model_validate(given)


def test_a_half_year_is_six_periods_of_the_fiscal_year() -> None:
    """From April: October to March is the second half, which January lies in."""
    assert list(_weights(Phasing(over="half_year"), "2027-01")) == [
        "2026-10",
        "2026-11",
        "2026-12",
        "2027-01",
        "2027-02",
        "2027-03",
    ]


def test_an_amount_for_its_own_period_is_not_divided() -> None:
    assert list_phases(FROM_APRIL, Phasing(over="period")) == []
    with pytest.raises(ValidationError):
        Phasing.model_validate({"over": "period", "by": "days"})
