"""Decide which deliveries of a source count and which wait for a person, once all files of a
landing are there.

A delivery with amounts lands *pending*: recorded as held until this pass compares every period and
currency of it. So the order of the files does not matter, the files of one month count as their
sum under `append`, and a landing that is cut off leaves nothing that counts unseen; the next one
settles it. Holds of earlier landings are compared again: one whose reason is gone (a corrected
mapping, a file that completes its month, another limit) is lifted.

A source without anything that counts brings its history at once (*backfill*). Its files are then
compared with each other, and what is doubtful is one decision. Within a single first file months
differ by nature; only tenfold differences of what a record costs are doubtful in it.

Units: amounts as delivered, by currency. Guarantees that whatever is not settled does not count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from pipelines.books.audit import append_audit
from pipelines.contracts.periods import MONTHS, Periods
from pipelines.errors import DeliveryRefusedError
from pipelines.landing.compare_periods import Doubt, factor_of
from pipelines.landing.holds import HOLD_PENDING
from pipelines.landing.judge_loads import Measure, Surroundings, find_doubts
from pipelines.landing.load_log import add_notes, describe_replaced, supersede
from pipelines.landing.period_totals import (
    Key,
    LoadTotals,
    PeriodTotal,
    add_totals,
    read_load_totals,
)
from pipelines.landing.redelivery import (
    NOTHING_REPLACED,
    Replacement,
    find_replaced,
    list_unreadable,
    read_sizes,
)
from pipelines.workspace.config import HoldSettings, Source

if TYPE_CHECKING:
    from sqlalchemy import Connection

SHOWN_DOUBTS = 3


@dataclass(frozen=True)
class SettledLoad:
    """What became of a load that was pending or held: None as reason where it counts."""

    load_id: int
    file_name: str
    sha256: str
    reason: str | None
    was_held: bool
    """Whether an earlier landing had held it already."""
    notes: tuple[str, ...] = ()
    """What it takes the place of, where it counts."""


@dataclass
class _Source:
    """A source while its loads are settled."""

    source_id: str
    source: Source
    measure: Measure | None
    counting: list[LoadTotals]
    waiting: list[LoadTotals]
    """Pending and held loads that are not settled yet."""
    is_backfill: bool
    held: list[LoadTotals] = field(default_factory=list)
    """Loads that stay held."""
    retired: set[int] = field(default_factory=set)

    def around(self, taken: Replacement) -> Surroundings:
        """What the next loads are judged against, if they take these places."""
        beside = add_totals(self.waiting) if self.is_backfill else {}
        replaced = add_totals(self.list_replaced(taken))
        return Surroundings(add_totals(self.list_left(taken)), beside, replaced, self.is_backfill)

    def list_replaced(self, taken: Replacement) -> list[LoadTotals]:
        """What counts until now in the places that are taken."""
        whole = [load for load in self.counting if load.load_id in taken.loads]
        parts = [
            load.without_periods({*load.periods} - {period})
            for load in self.counting
            for load_id, period in taken.parts
            if load.load_id == load_id
        ]
        return whole + parts

    def list_left(self, taken: Replacement) -> list[LoadTotals]:
        """What goes on counting when these places are taken."""
        return [
            load.without_periods({period for key, period in taken.parts if key == load.load_id})
            for load in self.counting
            if load.load_id not in taken.loads
        ]


def settle_source(
    connection: Connection,
    source_id: str,
    source: Source,
    settings: HoldSettings,
    today: date,
    periods: Periods = MONTHS,
) -> list[SettledLoad]:
    """Compare the pending and held loads of a source and write down which of them count.

    Is to be called in a transaction that holds the write lock of the books.
    """
    loads = read_load_totals(connection, source_id)
    waiting = [load for load in loads if load.is_undecided]
    if not waiting:
        return []
    counting = [load for load in loads if load.is_counting]
    measure = make_measure(source, settings, today, periods)
    is_backfill = not any(load.totals for load in counting)
    state = _Source(source_id, source, measure, counting, waiting, is_backfill)
    settled = []
    for group in list(_group_loads(state)):
        state.waiting = [load for load in state.waiting if load not in group]
        settled += _settle_group(connection, state, group)
    return [item for item in settled if item.load_id not in state.retired]


def make_measure(
    source: Source, settings: HoldSettings, today: date, periods: Periods = MONTHS
) -> Measure | None:
    """What the settings say of a source; None for no limit."""
    limit = source.find_hold_limit(settings)
    if limit is None:
        return None
    is_plan = source.scenario == "budget"
    return Measure(
        factor_of(limit),
        "" if is_plan else periods.find_period(today),
        settings.few_records,
        settings.whole_amounts == "hold" and not is_plan,
    )


def _group_loads(state: _Source) -> Iterator[list[LoadTotals]]:
    """Loads that are judged together, in the order of their periods: under `append` all of one
    month. Where loads replace each other their order of arrival is kept."""
    if state.source.redelivery == "append":
        by_period: dict[str, list[LoadTotals]] = {}
        for load in state.waiting:
            by_period.setdefault(load.main_period, []).append(load)
        yield from (by_period[period] for period in sorted(by_period))
        return
    periods = [period for load in state.waiting for period in load.periods]
    ordered = state.waiting
    if len(set(periods)) == len(periods):
        ordered = sorted(ordered, key=lambda load: load.main_period)
    yield from ([load] for load in ordered)


def _settle_group(
    connection: Connection, state: _Source, group: list[LoadTotals]
) -> list[SettledLoad]:
    accepted, doubts = list(group), dict[int, str]()
    taken = NOTHING_REPLACED
    if state.source.redelivery != "append":
        try:
            taken = _find_taken(connection, state, group[0])
            accepted = [load.without_periods(taken.kept_periods) for load in group]
        except DeliveryRefusedError as error:
            doubts[group[0].load_id] = f"it cannot count: {error.problem}"
            accepted = []
    while accepted and state.measure is not None:
        found = find_doubts(accepted, state.around(taken), state.measure)
        if not found:
            break
        for culprit in _list_culprits(accepted, found):
            doubts[culprit.load_id] = _join_doubts(found)
            accepted.remove(culprit)
    if accepted:
        state.counting = state.list_left(taken) + accepted
    counted = {load.load_id for load in accepted}
    state.held += [load for load in group if load.load_id not in counted]
    return [
        _write_outcome(connection, state, load, doubts.get(load.load_id), taken) for load in group
    ]


def _find_taken(connection: Connection, state: _Source, load: LoadTotals) -> Replacement:
    """The places that a load takes, none where its periods cannot be read. Raises
    DeliveryRefusedError where it may not."""
    if load.load_id in list_unreadable(connection, state.source_id):
        return NOTHING_REPLACED
    return find_replaced(
        connection,
        state.source_id,
        state.source,
        load.file_name,
        load.sha256,
        read_sizes(connection, load.load_id),
    )


def _list_culprits(group: list[LoadTotals], found: dict[Key, Doubt]) -> list[LoadTotals]:
    """The loads of a group that are to wait: of too much the one with most of it, else all that
    have a part in it. Never none."""
    key, doubt = next(iter(found.items()))
    concerned = [load for load in group if load.totals.get(key, PeriodTotal()).gross] or group
    if doubt.kind == "higher":
        return [max(concerned, key=lambda load: load.totals.get(key, PeriodTotal()).gross)]
    if doubt.kind == "turned":
        net = sum(load.totals[key].amount for load in concerned if key in load.totals)
        positive = [load for load in concerned if load.totals[key].amount > 0]
        negative = [load for load in concerned if load.totals[key].amount < 0]
        if positive and negative:
            return negative if net > 0 else positive
    return concerned


def _join_doubts(found: dict[Key, Doubt]) -> str:
    texts = [doubt.text for doubt in found.values()]
    more = len(texts) - SHOWN_DOUBTS
    shown = "; ".join(texts[:SHOWN_DOUBTS])
    return f"{shown}; and {more} more periods or currencies" if more > 0 else shown


def _write_outcome(
    connection: Connection,
    state: _Source,
    load: LoadTotals,
    reason: str | None,
    taken: Replacement,
) -> SettledLoad:
    from pipelines.books.tables import loads

    was_held = load.hold_reason != HOLD_PENDING
    subject = f"{state.source_id}/{load.file_name}"
    row = loads.update().where(loads.c.load_id == load.load_id)
    if reason is None:
        connection.execute(row.values(hold_kind=None, hold_reason=None))
        supersede(connection, load.load_id, taken)
        add_notes(connection, load.load_id, taken.notes)
        _retire_held(connection, state, load)
        details = {"sha256": load.sha256, **describe_replaced(taken)}
        if was_held:
            append_audit(connection, "hold lifted", subject, details | {"why": load.hold_reason})
        elif taken != NOTHING_REPLACED:
            append_audit(connection, "replace", subject, details)
    elif reason != load.hold_reason:
        connection.execute(row.values(hold_reason=reason))
        append_audit(connection, "hold", subject, {"sha256": load.sha256, "why": reason})
    notes = taken.notes if reason is None else ()
    return SettledLoad(load.load_id, load.file_name, load.sha256, reason, was_held, notes)


def _retire_held(connection: Connection, state: _Source, load: LoadTotals) -> None:
    """A held load all of whose periods a later one brought that counts has nothing to wait for."""
    if state.source.redelivery == "append" or not load.periods:
        return
    own = {*load.periods}
    retired = [
        other
        for other in state.held
        if other.load_id < load.load_id and other.periods and {*other.periods} <= own
    ]
    state.retired |= {other.load_id for other in retired}
    supersede(connection, load.load_id, Replacement(tuple(other.load_id for other in retired)))
    for other in retired:
        details = {"sha256": other.sha256, "why": other.hold_reason, "by": load.sha256}
        append_audit(connection, "hold superseded", f"{state.source_id}/{other.file_name}", details)
