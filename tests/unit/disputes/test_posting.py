"""In which period an adjustment is posted, worked out by hand."""

from __future__ import annotations

import pytest

from pipelines.disputes.posting import find_posting_period
from pipelines.errors import ControlError

CALENDAR = [f"2026-{month:02d}" for month in range(1, 7)]
TO_MARCH = CALENDAR[:3]
# What the books know, the disputed period, and where its adjustment is posted; March is the latest
# period with cost.
CASES = {
    "nothing is closed": ({}, "2026-01", "2026-01"),
    "never before what is disputed": ({}, "2026-02", "2026-02"),
    "what is calculated or reviewed takes it": (
        {"2026-01": "closed", "2026-02": "reviewed"},
        "2026-01",
        "2026-02",
    ),
    "what is approved is left as it was signed": (
        {"2026-01": "closed", "2026-02": "approved"},
        "2026-01",
        "2026-03",
    ),
    "closes began in February; January will not be closed": (
        {"2026-02": "closed"},
        "2026-01",
        "2026-03",
    ),
    "a reopened period takes it": ({"2026-01": "closed", "2026-02": "open"}, "2026-01", "2026-02"),
    "it waits for the next month where none is open": (
        {"2026-01": "closed", "2026-02": "closed", "2026-03": "closed"},
        "2026-01",
        "2026-04",
    ),
    "it waits where the last one is approved": (
        {"2026-01": "closed", "2026-02": "closed", "2026-03": "approved"},
        "2026-03",
        "2026-04",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_period_of_an_adjustment(case: str) -> None:
    states, origin, expected = CASES[case]
    assert find_posting_period(states, origin, TO_MARCH, CALENDAR) == expected


def test_calendar_without_an_open_period_is_told() -> None:
    states = dict.fromkeys(CALENDAR, "closed")
    with pytest.raises(ControlError, match="the calendar ends with 2026-06"):
        find_posting_period(states, "2026-01", CALENDAR, CALENDAR)
