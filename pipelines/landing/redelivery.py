"""What a delivery does to earlier ones of its source, as the source declares.

`refuse` keeps a period that was delivered, `replace_period` lets the new one count instead (the
older copy stays in the lake, and the books name what superseded it), `append` lets both count,
`update_records` too, but of the records with one key only that of the latest load
(`warehouse/latest_records`).

Deliveries replace each other period by period: an export of July takes the place of the first hours
of July in the export of June, whose June goes on counting. Which of two deliveries counts in a
period that both hold is declared by `overlap`:

- `whole_period`: the later one, unless it only reaches into the period: where the last period of a
  delivery has at most half of the records, or of the absolute amounts, of the period before it and
  of what the earlier delivery holds of that period, the earlier one goes on counting. A first
  period with at most half of the records of the next one looks like late lines. They would take the
  place of the month that they belong to, or vanish with it: such a delivery is refused.
- `latest`: the later one, whatever it holds, as rolling windows need it.
- `refuse`: a delivery that replaces a part of another one is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.contracts.contract import load_contract
from pipelines.errors import DeliveryRefusedError, Problem
from pipelines.landing.holds import is_counting, is_pending
from pipelines.workspace.config import Overlap, Source

if TYPE_CHECKING:
    from sqlalchemy import Connection

ADDING_MODES = ("append", "update_records")
"""Modes in which a delivery supersedes no earlier one."""


@dataclass(frozen=True)
class PeriodSize:
    """How much of a period a delivery holds."""

    records: int | None = None
    """None where records of the period are in quarantine, so that its size is not known."""
    gross: Mapping[str, Decimal] = field(default_factory=dict)
    """Sum of the absolute amounts by currency; without the contract's amounts nothing but zeros."""

    def has_few_records_of(self, other: PeriodSize) -> bool:
        """Whether it has at most half of the records of another one; not where one is unknown."""
        if self.records is None or other.records is None:
            return False
        return 2 * self.records <= other.records

    def is_at_most_half_of(self, other: PeriodSize) -> bool:
        """Whether it has at most half of the records, or of the absolute amounts, of another."""
        if self.records is None or other.records is None:
            return False
        if self.has_few_records_of(other):
            return True
        shared = [code for code in self.gross if other.gross.get(code)]
        return bool(shared) and all(2 * self.gross[c] <= other.gross[c] for c in shared)


Sizes = dict[str, PeriodSize]
"""Size by period."""


@dataclass(frozen=True)
class Replacement:
    """Which loads and which periods of loads a delivery takes the place of, and which of its own
    periods do not count because another load holds them."""

    loads: tuple[int, ...] = ()
    parts: tuple[tuple[int, str], ...] = ()
    """(load, period) of loads that go on counting in other periods."""
    kept: tuple[tuple[str, int], ...] = ()
    """(period of the delivery, load that goes on counting in it)."""
    notes: tuple[str, ...] = ()

    @property
    def kept_periods(self) -> frozenset[str]:
        return frozenset(period for period, _ in self.kept)


NOTHING_REPLACED = Replacement()


@dataclass
class _EarlierLoad:
    load_id: int
    file_name: str
    sha256: str
    periods: set[str] = field(default_factory=set)
    """Those in which it counts."""

    def __str__(self) -> str:
        return f"'{self.file_name}' (sha256 {self.sha256[:12]}…)"


def find_replaced(
    connection: Connection,
    source_id: str,
    source: Source,
    name: str,
    sha256: str,
    sizes: Sizes,
    *,
    with_pending: bool = False,
) -> Replacement:
    """What a delivery with periods of these sizes replaces; no periods means all data of the
    source. `with_pending`: also loads of the landing that is going on, which nobody has compared
    yet. A load of which no period can be read is replaced by a later file of its name only.

    Is to be called in the transaction that records the delivery, so that two deliveries of one
    period cannot overlook each other. Raises DeliveryRefusedError where the source declares so.
    """
    if source.redelivery in ADDING_MODES:
        return NOTHING_REPLACED
    covered = set(sizes)
    unreadable = list_unreadable(connection, source_id)
    is_replacing = source.redelivery == "replace_period"
    overlapping = [
        load
        for load in _list_overlapping(connection, source_id, sha256, covered, with_pending)
        if load.load_id not in unreadable or (is_replacing and load.file_name == name)
    ]
    if not overlapping:
        return NOTHING_REPLACED
    if source.redelivery == "refuse":
        first = overlapping[0]
        raise _refuse_again(name, source_id, sha256, first, first.periods & covered)
    return _replace(connection, name, sizes, overlapping, source.overlap)


def _replace(
    connection: Connection,
    name: str,
    sizes: Sizes,
    overlapping: list[_EarlierLoad],
    overlap: Overlap,
) -> Replacement:
    loads: list[int] = []
    parts: list[tuple[int, str]] = []
    kept: list[tuple[str, int]] = []
    notes: list[str] = []
    late, reached = find_partial(sizes)
    for load in overlapping:
        others = load.periods - set(sizes)
        if others and (overlap == "refuse" or not sizes):
            raise _refuse_part(name, load, others)
        own = read_sizes(connection, load.load_id)
        staying = []
        if overlap == "whole_period":
            if _is_small(late, sizes, own, load.periods):
                raise _refuse_late(name, load, str(late))
            if others and _is_small(find_partial(own)[0], own, sizes, load.periods):
                raise _refuse_part(name, load, others)
            if _is_small(reached, sizes, own, load.periods):
                staying = [str(reached)]
        replaced = sorted((load.periods & set(sizes)) - {*staying})
        kept += [(period, load.load_id) for period in staying]
        notes += [_say_kept(load, period, sizes[period]) for period in staying]
        if set(replaced) == load.periods:
            loads.append(load.load_id)
            continue
        parts += [(load.load_id, period) for period in replaced]
        notes += [_say_replaced(load, period, own[period]) for period in replaced]
    return Replacement(tuple(loads), tuple(parts), tuple(kept), tuple(notes))


def _is_small(period: str | None, sizes: Sizes, others: Sizes, counting: set[str]) -> bool:
    """Whether a partial period is held by another load too, and is small beside that."""
    if period is None or period not in counting or period not in others:
        return False
    return sizes[period].is_at_most_half_of(others[period])


def _say_replaced(load: _EarlierLoad, period: str, size: PeriodSize) -> str:
    return f"takes the place of {_describe(size)} of {period} in '{load.file_name}'"


def _describe(size: PeriodSize) -> str:
    amounts = "".join(
        f", {amount:,.2f}{'' if code == '?' else f' {code}'}"
        for code, amount in size.gross.items()
        if amount
    )
    records = size.records or 0
    return f"{records:,} {'record' if records == 1 else 'records'}{amounts}"


def _say_kept(load: _EarlierLoad, period: str, size: PeriodSize) -> str:
    return (
        f"only reaches into {period}: {_describe(size)} of it do not count, because "
        f"'{load.file_name}' holds that period; 'overlap: latest' lets the later one count"
    )


def find_partial(sizes: Sizes) -> tuple[str | None, str | None]:
    """The first period where it looks like late lines, and the last one where the delivery only
    reaches into it."""
    periods = sorted(sizes)
    if len(periods) < 2:
        return None, None
    first, second, before, last = periods[0], periods[1], periods[-2], periods[-1]
    return (
        first if sizes[first].has_few_records_of(sizes[second]) else None,
        last if sizes[last].is_at_most_half_of(sizes[before]) else None,
    )


def read_sizes(connection: Connection, load_id: int) -> Sizes:
    """The periods of a load and what was accepted of them."""
    from sqlalchemy import select

    from pipelines.books.tables import load_amounts, load_periods

    query = select(load_periods.c.period_id).where(load_periods.c.load_id == load_id)
    sizes: dict[str, PeriodSize] = {
        period: PeriodSize() for period in connection.execute(query).scalars()
    }
    rows = connection.execute(
        select(
            load_amounts.c.period_id,
            load_amounts.c.currency_code,
            load_amounts.c.records_accepted,
            load_amounts.c.gross_local,
        ).where(load_amounts.c.load_id == load_id)
    )
    for period, code, records, gross in rows:
        sizes[period] = add_size(sizes.get(period, PeriodSize()), code, records, Decimal(gross))
    return sizes


def add_size(size: PeriodSize, code: str, records: int, gross: Decimal) -> PeriodSize:
    """The size of a period with the records of one more currency."""
    return PeriodSize((size.records or 0) + records, {**size.gross, code: gross})


def _list_overlapping(
    connection: Connection, source_id: str, sha256: str, covered: set[str], with_pending: bool
) -> list[_EarlierLoad]:
    """Other loads of the source that count and hold one of the periods; a load without periods
    holds all of them. Asked of the index by period, so that a long history costs nothing."""
    from sqlalchemy import or_, select

    from pipelines.books.tables import load_periods, loads

    query = (
        select(
            loads.c.load_id,
            loads.c.file_name,
            loads.c.sha256,
            load_periods.c.period_id,
            load_periods.c.superseded_by,
        )
        .outerjoin(load_periods)
        .where(
            loads.c.source_id == source_id,
            loads.c.sha256 != sha256,
            loads.c.superseded_by.is_(None),
            or_(is_counting(loads), is_pending(loads)) if with_pending else is_counting(loads),
        )
        .order_by(loads.c.load_id)
    )
    if covered:
        held = load_periods.alias()
        of_period = select(held.c.load_id).where(
            held.c.period_id.in_(covered), held.c.superseded_by.is_(None)
        )
        # The outer join leaves the period of a load without periods empty.
        query = query.where(or_(loads.c.load_id.in_(of_period), load_periods.c.period_id.is_(None)))
    result: dict[int, _EarlierLoad] = {}
    for load_id, file_name, other, period_id, replaced_by in connection.execute(query):
        load = result.setdefault(load_id, _EarlierLoad(load_id, file_name, other))
        if period_id is not None and replaced_by is None:
            load.periods.add(period_id)
    return list(result.values())


def list_unreadable(connection: Connection, source_id: str) -> set[int]:
    """Loads of the source whose records say no readable period, though they should."""
    from sqlalchemy import select

    from pipelines.books.tables import load_periods, loads

    rows = connection.execute(
        select(loads.c.load_id, loads.c.contract_id).where(
            loads.c.source_id == source_id,
            loads.c.superseded_by.is_(None),
            loads.c.records_delivered > 0,
            loads.c.load_id.not_in(select(load_periods.c.load_id)),
        )
    )
    return {row.load_id for row in rows if load_contract(row.contract_id).period_field is not None}


def _refuse_again(
    name: str, source_id: str, sha256: str, earlier: _EarlierLoad, both: set[str]
) -> DeliveryRefusedError:
    what = ", ".join(sorted(both)) or "the same data"
    return DeliveryRefusedError(
        Problem(
            name,
            f"delivers {what} again with other content than {earlier}",
            expected=f"new periods, as source '{source_id}' declares redelivery: refuse",
            found=f"sha256 {sha256[:12]}…",
            remedy="Nothing was loaded. Declare redelivery: replace_period if it is to replace.",
        )
    )


def _refuse_late(name: str, earlier: _EarlierLoad, period: str) -> DeliveryRefusedError:
    return DeliveryRefusedError(
        Problem(
            name,
            f"holds only a part of {period}, which {earlier} holds with more",
            expected=f"all of {period}, or none of it",
            found="at most half of the records or amounts of the period, as late lines would be",
            remedy="Nothing was loaded. Deliver the whole period, or declare for the source "
            "'redelivery: append' if both count, or 'overlap: latest' if the later one replaces "
            "the earlier one whatever it holds.",
        )
    )


def _refuse_part(name: str, earlier: _EarlierLoad, missing: set[str]) -> DeliveryRefusedError:
    return DeliveryRefusedError(
        Problem(
            name,
            f"replaces only a part of {earlier}",
            expected="all periods of the delivery that it replaces",
            found=f"none for {', '.join(sorted(missing))}",
            remedy="Nothing was loaded. Deliver the missing periods in the same file, or declare "
            "for the source 'overlap: latest' if the later delivery of a period replaces it "
            "whatever it holds, or 'redelivery: append' if both count.",
        )
    )
