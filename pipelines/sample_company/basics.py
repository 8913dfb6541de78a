"""What every part of the generator shares: periods, seeded randomness, exact figures.

Guarantees that nothing depends on the clock, on hashing order or on floating point: figures are
integers (cents, thousandths) or Decimals, and each part draws from a generator of its own that
is seeded by text, so that a change in one source leaves the others as they were.
"""

from __future__ import annotations

import calendar
import random
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

DEFAULT_SEED = 20241101

Row = dict[str, str]
"""One line of a CSV file: header -> text."""


@dataclass(frozen=True, order=True)
class Month:
    """A fiscal period; the fiscal year is the calendar year. `index` counts from 2024-11 = 0."""

    index: int

    @property
    def year(self) -> int:
        return 2024 + (10 + self.index) // 12

    @property
    def number(self) -> int:
        return (10 + self.index) % 12 + 1

    @property
    def period_id(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"

    @property
    def name(self) -> str:
        return f"{calendar.month_name[self.number]} {self.year}"

    @property
    def start(self) -> date:
        return date(self.year, self.number, 1)

    @property
    def days(self) -> int:
        return calendar.monthrange(self.year, self.number)[1]

    def day(self, number: int) -> date:
        """That day of the month, or its last day."""
        return date(self.year, self.number, min(number, self.days))

    @property
    def next(self) -> Month:
        return Month(self.index + 1)

    @property
    def previous(self) -> Month:
        return Month(self.index - 1)


def month_of(period_id: str) -> Month:
    """The month of an id such as 2026-03."""
    year, number = map(int, period_id.split("-"))
    return Month((year - 2024) * 12 + number - 11)


ACTUAL_MONTHS = tuple(Month(index) for index in range(24))
"""2024-11 to 2026-10."""
BUDGET_MONTHS = tuple(Month(index) for index in range(26))
"""2024-11 to 2026-12."""


@dataclass(frozen=True)
class Settings:
    """What a run of the generator depends on besides the company's facts."""

    seed: int = DEFAULT_SEED
    scale: int = 1

    def random(self, *parts: str) -> random.Random:
        """A generator of its own for the part of that name."""
        return random.Random("|".join([str(self.seed), *parts]))


def format_cents(cents: int) -> str:
    """An amount of cents with two decimals: -1205 is -12.05."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def format_quantity(value: Decimal) -> str:
    """A quantity without needless zeros and never in exponent form."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def divide_half_up(numerator: int, denominator: int) -> int:
    """Integer division rounded half away from zero; the denominator is positive."""
    quotient = (2 * abs(numerator) + denominator) // (2 * denominator)
    return quotient if numerator >= 0 else -quotient


def scale_figure(value: int, *permilles: int) -> int:
    """A figure times each factor in thousandths, rounded once."""
    numerator, denominator = value, 1
    for permille in permilles:
        numerator *= permille
        denominator *= 1000
    return divide_half_up(numerator, denominator)


def compound(monthly_growth: int, months: int) -> int:
    """Thousandths of compound growth by thousandths a month, rounded each month."""
    permille = 1000
    for _ in range(months):
        permille = scale_figure(permille, 1000 + monthly_growth)
    return permille
