"""Working days: Monday to Friday, but for the holidays that a workspace names."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

SATURDAY = 5
ONE_DAY = timedelta(days=1)


def is_working_day(day: date, holidays: Collection[date]) -> bool:
    """Whether it is worked on that day."""
    return day.weekday() < SATURDAY and day not in holidays


def find_working_day(period_end: date, number: int, holidays: Collection[date]) -> date:
    """The working day of that number, counted from the end of a period.

    `period_end` is the first day after the period. 1 is the first working day on or after it, -1
    the last one before it. Raises ValueError for 0, which is no day.
    """
    if number == 0:
        raise ValueError("there is no working day 0")
    step = ONE_DAY if number > 0 else -ONE_DAY
    day = period_end if number > 0 else period_end - ONE_DAY
    left = abs(number)
    while True:
        if is_working_day(day, holidays):
            left -= 1
            if left == 0:
                return day
        day += step
