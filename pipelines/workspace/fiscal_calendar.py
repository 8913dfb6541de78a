"""The fiscal calendar: which periods there are, their days, and the fiscal year of each.

Four kinds, told by what apportion.yml says under `calendar`:

- calendar months, ids such as 2026-03: `first_period: 2026-01`;
- calendar months by their number in the fiscal year, ids such as 2026-P03, as ledgers export them:
  `first_period: 2026-P01`;
- weeks (4-4-5 and its kin, or thirteen periods of four weeks), ids such as 2026-P03: `weeks`. A
  year of 53 weeks has the last one in its last period;
- a table with the days of every period: `file`, in the form of the contract `fiscal_calendar`.

A fiscal year is named after the calendar year in which it ends, unless `weeks` says otherwise.

Source of the rule of weeks: a 52-53-week tax year ends on the same weekday, either the last one of
a month or the one nearest to the end of the month (IRS Publication 538).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from pipelines.contracts.periods import MONTH_ID, MONTHS, PERIOD_ID, PeriodDays, Periods

PERIOD_PATTERN = re.compile(rf"^({PERIOD_ID})$")

PeriodId = Annotated[str, Field(pattern=PERIOD_PATTERN.pattern)]

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WEEKS_OF_PERIODS = {
    "4-4-5": (4, 4, 5) * 4,
    "4-5-4": (4, 5, 4) * 4,
    "5-4-4": (5, 4, 4) * 4,
    "13x4": (4,) * 13,
}
PERIODS_OF_QUARTER = 3
QUARTERS = 4


class Period(NamedTuple):
    """One period of the calendar."""

    period_id: str
    start: date
    end: date
    """The first day after it."""
    fiscal_year: int
    number: int
    """In the fiscal year, from 1."""


def _refuse_path_outside(name: str) -> str:
    parts = PurePosixPath(name).parts
    if not parts or parts[0] == "/" or ".." in parts:
        raise ValueError("expected the path of a file in the workspace, such as calendar.csv")
    return name


class WeekYears(BaseModel):
    """Fiscal years of whole weeks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pattern: Literal["4-4-5", "4-5-4", "5-4-4", "13x4"]
    """Weeks of the periods of a quarter, or thirteen periods of four weeks."""
    ends_on: Literal[
        "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"
    ] = "saturday"
    """Weekday on which every period, and so the year, ends."""
    end_month: Annotated[int, Field(ge=1, le=12)]
    """Month of the end of the fiscal year."""
    end_rule: Literal["last", "nearest"]
    """The last such weekday in that month, or the one nearest to its last day."""
    year_named_after: Literal["end", "start"] = "end"
    """Whether a year has the number of the calendar year in whose `end_month` it ends, or of the
    one before, as retailers count."""

    def find_end(self, fiscal_year: int) -> date:
        """The last day of a fiscal year."""
        year = fiscal_year + (self.year_named_after == "start")
        after = date(year + self.end_month // 12, self.end_month % 12 + 1, 1)
        last = after - timedelta(days=1)
        back = (last.weekday() - WEEKDAYS.index(self.ends_on)) % 7
        if self.end_rule == "nearest" and back > 3:
            back -= 7
        return last - timedelta(days=back)

    def list_year(self, fiscal_year: int) -> list[Period]:
        """The periods of a fiscal year, in order."""
        start = self.find_end(fiscal_year - 1) + timedelta(days=1)
        end = self.find_end(fiscal_year) + timedelta(days=1)
        periods = []
        weeks = WEEKS_OF_PERIODS[self.pattern]
        for number, length in enumerate(weeks, start=1):
            until = end if number == len(weeks) else start + timedelta(weeks=length)
            periods.append(
                Period(name_period(fiscal_year, number), start, until, fiscal_year, number)
            )
            start = until
        return periods


class Calendar(BaseModel):
    """The calendar of a workspace, as apportion.yml declares it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    first_period: PeriodId
    last_period: PeriodId
    fiscal_year_start_month: int = Field(default=1, ge=1, le=12)
    """Month in which the fiscal year starts, where periods are months."""
    weeks: WeekYears | None = None
    file: Annotated[str, AfterValidator(_refuse_path_outside)] | None = None
    """Table of the periods, a CSV file in the workspace."""
    _table: tuple[Period, ...] = PrivateAttr(default=())

    @model_validator(mode="after")
    def fits_together(self) -> Calendar:
        ends = (self.first_period, self.last_period)
        if self.weeks and self.file:
            raise ValueError("'weeks' and 'file' both say which periods there are; leave one out")
        if (self.weeks or self.file) and "fiscal_year_start_month" in self.model_fields_set:
            raise ValueError("'fiscal_year_start_month' is for months; leave it out")
        forms = {bool(re.fullmatch(MONTH_ID, end)) for end in ends}
        if len(forms) > 1:
            raise ValueError(
                "first_period and last_period are of two forms: expected 2026-01 and 2026-12, "
                "or 2026-P01 and 2026-P12"
            )
        if self.weeks and True in forms:
            raise ValueError("the ids of periods of weeks have the form 2026-P01")
        if self.last_period < self.first_period:
            raise ValueError(f"last_period {self.last_period} is before {self.first_period}")
        if self.file is None:
            self._refuse_unknown_ends([item.period_id for item in self._list_all()])
        return self

    def with_table(self, table: Sequence[Period]) -> Calendar:
        """The calendar with the periods of its file, in order. Raises ValueError where its first
        or last period is none of them."""
        calendar = self.model_copy()
        calendar._table = tuple(table)
        calendar._refuse_unknown_ends([item.period_id for item in table])
        return calendar

    def periods(self) -> list[Period]:
        """The periods from the first to the last one, in order."""
        return list(self._periods)

    @cached_property
    def spans(self) -> Periods:
        """How days and periods belong together. Calendar months need no list."""
        if self.file is None and "P" not in self.first_period:
            return MONTHS
        return Periods(tuple(PeriodDays(*item[:3]) for item in self._periods))

    @cached_property
    def _periods(self) -> tuple[Period, ...]:
        return tuple(
            item
            for item in self._list_all()
            if self.first_period <= item.period_id <= self.last_period
        )

    def _list_all(self) -> list[Period]:
        """The periods of all years that the calendar touches."""
        if self.file is not None:
            return list(self._table)
        first, last = int(self.first_period[:4]), int(self.last_period[:4])
        if self.weeks is not None:
            return [item for year in range(first, last + 1) for item in self.weeks.list_year(year)]
        if "P" in self.first_period:
            return [item for year in range(first, last + 1) for item in self._list_months(year)]
        # A month of a calendar year may be one of the fiscal year after it.
        months = [item for year in range(first, last + 2) for item in self._list_months(year)]
        return [item._replace(period_id=f"{item.start:%Y-%m}") for item in months]

    def _list_months(self, fiscal_year: int) -> list[Period]:
        begin = self.fiscal_year_start_month - 1
        year = fiscal_year if begin == 0 else fiscal_year - 1
        starts = [date(year + (begin + n) // 12, (begin + n) % 12 + 1, 1) for n in range(13)]
        return [
            Period(name_period(fiscal_year, number), start, end, fiscal_year, number)
            for number, (start, end) in enumerate(pairwise(starts), start=1)
        ]

    def _refuse_unknown_ends(self, known: list[str]) -> None:
        for name, period_id in (("first", self.first_period), ("last", self.last_period)):
            if period_id not in known:
                found = f"{known[0]} to {known[-1]}" if known else "none"
                raise ValueError(f"{name}_period {period_id} is no period; there are {found}")


def name_period(fiscal_year: int, number: int) -> str:
    """The id of a period by its number in the fiscal year: 2026-P03."""
    return f"{fiscal_year:04d}-P{number:02d}"


def find_quarter(number: int) -> int:
    """The quarter of a period by its number; the thirteenth belongs to the last one."""
    return min((number - 1) // PERIODS_OF_QUARTER + 1, QUARTERS)
