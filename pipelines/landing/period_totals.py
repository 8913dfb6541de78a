"""What the loads of a source hold per period and currency, as the books say it.

A `PeriodTotal` is a sum of records and money; totals of several loads add up. Which periods are a
load's own and which are only touched by a few late or early lines is told by the number of records:
a period with at most a fifth of the records of the load's largest one is a *tail*.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.landing.holds import is_period_counting

if TYPE_CHECKING:
    from sqlalchemy import Connection

TAIL_SHARE = Decimal("0.2")

Key = tuple[str, str]
"""Period and currency."""


@dataclass(frozen=True)
class PeriodTotal:
    """Records and money of one period and currency; `gross` is the sum of absolute amounts."""

    records: int = 0
    amount: Decimal = Decimal(0)
    gross: Decimal = Decimal(0)
    files: int = 0
    """Loads whose own period it is."""

    def __add__(self, other: PeriodTotal) -> PeriodTotal:
        return PeriodTotal(
            self.records + other.records,
            self.amount + other.amount,
            self.gross + other.gross,
            self.files + other.files,
        )


Totals = dict[Key, PeriodTotal]


@dataclass(frozen=True)
class LoadTotals:
    """One load of the books with its totals."""

    load_id: int
    file_name: str = ""
    sha256: str = ""
    hold_kind: str | None = None
    hold_reason: str | None = None
    hold_decision: str | None = None
    are_amounts_whole: bool = False
    """Whether none of its amounts is written with decimals."""
    periods: tuple[str, ...] = ()
    totals: Totals = field(default_factory=dict)

    @property
    def is_undecided(self) -> bool:
        """Whether it waits, by its amounts, and no person has decided on it."""
        return self.hold_kind == "deviation" and self.hold_decision is None

    @property
    def is_counting(self) -> bool:
        return self.hold_kind is None or self.hold_decision == "released"

    def without_periods(self, periods: Collection[str]) -> LoadTotals:
        """The load without some of its periods."""
        return replace(
            self,
            periods=tuple(period for period in self.periods if period not in periods),
            totals={key: total for key, total in self.totals.items() if key[0] not in periods},
        )

    @property
    def own_periods(self) -> set[str]:
        """Its periods without the tails."""
        records: dict[str, int] = defaultdict(int)
        for (period, _), total in self.totals.items():
            records[period] += total.records
        most = max(records.values(), default=0)
        return {period for period, count in records.items() if count > most * TAIL_SHARE}

    @property
    def main_period(self) -> str:
        """The period of most of its records; the latest of equals. '' where it has no records."""
        own = [(total.records, period) for (period, _), total in self.totals.items()]
        return max(own, default=(0, ""))[1]


def read_load_totals(connection: Connection, source_id: str) -> list[LoadTotals]:
    """All loads of a source that no other load superseded, with their totals, in their order. A
    period in which another load counts instead is left out."""
    from sqlalchemy import select

    from pipelines.books.tables import load_amounts, load_periods, loads

    current = (loads.c.source_id == source_id) & loads.c.superseded_by.is_(None)
    rows = connection.execute(select(loads).where(current).order_by(loads.c.load_id)).all()
    periods: dict[int, list[str]] = defaultdict(list)
    counting = is_period_counting(load_periods.c.load_id, load_periods.c.period_id)
    query = select(load_periods.c.load_id, load_periods.c.period_id).join(loads)
    ordered = query.where(current, counting).order_by(load_periods.c.period_id)
    for load_id, period_id in connection.execute(ordered):
        periods[load_id].append(period_id)
    amounts: dict[int, Totals] = defaultdict(dict)
    has_amount = is_period_counting(load_amounts.c.load_id, load_amounts.c.period_id)
    for row in connection.execute(select(load_amounts).join(loads).where(current, has_amount)):
        amounts[row.load_id][(row.period_id, row.currency_code)] = PeriodTotal(
            row.records_accepted, Decimal(row.amount_local), Decimal(row.gross_local)
        )
    return [
        count_files(
            LoadTotals(
                row.load_id,
                row.file_name,
                row.sha256,
                row.hold_kind,
                row.hold_reason,
                row.hold_decision,
                row.are_amounts_whole,
                tuple(periods[row.load_id]),
                amounts[row.load_id],
            )
        )
        for row in rows
    ]


def add_totals(loads: Iterable[LoadTotals]) -> Totals:
    """The sum of the totals of several loads."""
    result: Totals = {}
    for load in loads:
        for key, total in load.totals.items():
            result[key] = result.get(key, PeriodTotal()) + total
    return result


def count_files(load: LoadTotals) -> LoadTotals:
    """The load with itself counted as a file of each of its own periods."""
    own = load.own_periods
    totals = {
        key: replace(total, files=1) if key[0] in own else total
        for key, total in load.totals.items()
    }
    return replace(load, totals=totals)
