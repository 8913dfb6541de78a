"""How days and periods belong together, in SQL and out of it.

The periods of most workspaces are calendar months with ids such as 2026-03, and any day has one.
Where the calendar of a workspace has other periods (4-4-5 weeks, thirteen periods, fiscal months
with ids such as 2026-P03), it names each with its days. A day that it does not name has no period:
its id is then the month with a mark, such as `2019-05 (outside)`, so that what happened on it is
counted and shown and never taken for a period.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import NamedTuple

MONTH_ID = r"\d{4}-(0[1-9]|1[0-2])"
FISCAL_ID = r"\d{4}-P(0[1-9]|1[0-3])"
PERIOD_ID = rf"{MONTH_ID}|{FISCAL_ID}"
"""Regular expression of both forms of a period id."""
OUTSIDE = " (outside)"
"""End of the id of days outside the calendar."""


class PeriodDays(NamedTuple):
    """A period with its days."""

    period_id: str
    start: date
    end: date
    """The first day after it."""


@dataclass(frozen=True)
class Periods:
    """The periods of a calendar. Without `days` they are the calendar months, without bounds.

    `days` are in order and leave no day out.
    """

    days: tuple[PeriodDays, ...] = ()

    @property
    def are_months(self) -> bool:
        """Whether ids are those of calendar months."""
        return not self.days

    @cached_property
    def are_whole_months(self) -> bool:
        """Whether every period is a calendar month, whatever its id is."""
        return all(
            item.start.day == 1 and item.end == _next_month(item.start) for item in self.days
        )

    @property
    def id_pattern(self) -> str:
        """Regular expression of the ids, and of those of days outside the calendar."""
        if self.are_months:
            return MONTH_ID
        is_fiscal = any("P" in item.period_id for item in self.days)
        return rf"{FISCAL_ID if is_fiscal else MONTH_ID}|{MONTH_ID}{re.escape(OUTSIDE)}"

    @property
    def example(self) -> str:
        """An id, for messages."""
        return "2026-03" if self.are_months else self.days[0].period_id

    def of_day(self, moment: str) -> str:
        """SQL for the period id of a date or time; NULL where that is NULL."""
        if self.are_months:
            return f"strftime({moment}, '%Y-%m')"
        # The list of one gives the moment a short name, and works it out once.
        return f"list_transform([{moment}], lambda day: {self._search(self.days)})[1]"

    def first_day(self, text: str) -> str:
        """SQL for the first day of a period id; NULL where it is none."""
        if self.are_months:
            return f"try_cast({text} || '-01' as date)"
        return _choose(text, [(item.period_id, item.start) for item in self.days])

    def day_after(self, text: str) -> str:
        """SQL for the first day after a period id; NULL where it is none."""
        if self.are_months:
            return f"try_cast({text} || '-01' as date) + interval 1 month"
        return _choose(text, [(item.period_id, item.end) for item in self.days])

    def find_days(self, period_id: str) -> PeriodDays:
        """A period with its days. Raises KeyError for an id that is none."""
        if self.are_months:
            if not re.fullmatch(MONTH_ID, period_id):
                raise KeyError(period_id)
            start = date(int(period_id[:4]), int(period_id[5:]), 1)
            return PeriodDays(period_id, start, _next_month(start))
        return self._by_id[period_id]

    def find_period(self, day: date) -> str:
        """The id of the period of a day."""
        if self.are_months:
            return f"{day:%Y-%m}"
        at = bisect_right([item.start for item in self.days], day) - 1
        if at < 0 or day >= self.days[-1].end:
            return f"{day:%Y-%m}{OUTSIDE}"
        return self.days[at].period_id

    def list_between(self, first: str, last: str) -> list[PeriodDays]:
        """The periods from one id to another, both included; none where an id is none."""
        try:
            item, end = self.find_days(first), self.find_days(last)
        except KeyError:
            return []
        if not self.are_months:
            return [own for own in self.days if item.start <= own.start <= end.start]
        found = []
        while item.start <= end.start:
            found.append(item)
            item = PeriodDays(f"{item.end:%Y-%m}", item.end, _next_month(item.end))
        return found

    def list_ended(self, period_id: str, today: date) -> list[PeriodDays]:
        """The periods after one that have ended by a day."""
        last = self.find_period(today) if self.are_months else self.days[-1].period_id
        return [item for item in self.list_between(period_id, last)[1:] if item.end <= today]

    @cached_property
    def _by_id(self) -> dict[str, PeriodDays]:
        return {item.period_id: item for item in self.days}

    def _search(self, days: Sequence[PeriodDays]) -> str:
        """SQL that halves the periods until one is left."""
        if len(days) == 1:
            own, text = days[0], f"'{days[0].period_id}'"
            outside = f"strftime(day, '%Y-%m') || '{OUTSIDE}'"
            if own == self.days[-1]:
                text = f"case when day >= date '{own.end}' then {outside} else {text} end"
            if own == self.days[0]:
                text = f"case when day < date '{own.start}' then {outside} else {text} end"
            return f"case when day is null then null else {text} end"
        half = len(days) // 2
        return (
            f"case when day < date '{days[half].start}' then {self._search(days[:half])} "
            f"else {self._search(days[half:])} end"
        )


MONTHS = Periods()


@dataclass(frozen=True)
class PeriodClock:
    """What says to which period a moment belongs: the workspace's time zone and its periods."""

    time_zone: str = "UTC"
    periods: Periods = MONTHS


MONTHS_OF_UTC = PeriodClock()


def _choose(text: str, pairs: Sequence[tuple[str, date]]) -> str:
    cases = " ".join(f"when '{period_id}' then date '{day}'" for period_id, day in pairs)
    return f"case {text} {cases} end"


def _next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)
