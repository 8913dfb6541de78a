"""Read the log of loads, and name what happened: a correction, a late delivery, a hold, a gap.

Everything is worked out from the books, so that it says the same whoever asks and whenever: which
load took the place of which, how many days after the end of its period a delivery came, which
periods and which numbers of a sequence of files are missing between the first and the last.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from pipelines.books.books import Books
from pipelines.contracts.periods import Periods
from pipelines.workspace.config import Source
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

LoadState = Literal["counts", "superseded", "held", "discarded"]
SHOWN = 8


@dataclass(frozen=True)
class LoggedLoad:
    """One load of the books and what is to be said about it."""

    load_id: int
    source_id: str
    contract_id: str
    file_name: str
    sha256: str
    reading: int
    mapping_id: str
    periods: tuple[str, ...]
    records_delivered: int
    records_accepted: int
    records_quarantined: int
    landed_at: str
    landed_by: str
    state: LoadState
    superseded_by: str | None
    """Name of the file that took its place."""
    remarks: tuple[str, ...]
    """Sentences: a correction of which file, how late, why it is held."""


@dataclass(frozen=True)
class HeldLoad:
    """One delivery that waits for a decision, and does not count until then."""

    source_id: str
    file_name: str
    periods: tuple[str, ...]
    records: int
    amounts: dict[str, Decimal]
    """Sum of the accepted records by currency; none where the contract has no amount."""
    reason: str
    landed_at: str


@dataclass(frozen=True)
class SequenceGap:
    """Periods or numbers of files that are missing between the first and the last of a source."""

    source_id: str
    kind: Literal["period", "file number"]
    missing: tuple[str, ...]

    def __str__(self) -> str:
        shown = ", ".join(self.missing[:SHOWN])
        more = f" and {len(self.missing) - SHOWN} more" if len(self.missing) > SHOWN else ""
        plural = "s" if len(self.missing) > 1 else ""
        return f"source '{self.source_id}': no delivery of {self.kind}{plural} {shown}{more}"


def list_loads(
    workspace: Workspace, books: Books, source_id: str | None = None
) -> list[LoggedLoad]:
    """All loads of configured sources, or of one, in the order in which they came."""
    from sqlalchemy import select

    from pipelines.books.tables import loads

    sources = workspace.config.sources
    with books.read() as connection:
        query = select(loads).order_by(loads.c.load_id)
        if source_id is not None:
            query = query.where(loads.c.source_id == source_id)
        rows = connection.execute(query).all()
        periods = _read_periods(connection)
        replaced = _read_replaced(connection)
    names = {row.load_id: row.file_name for row in rows}
    corrected: dict[int, list[str]] = defaultdict(list)
    for row in rows:
        if row.superseded_by is not None:
            corrected[row.superseded_by].append(row.file_name)
    logged = []
    for row in rows:
        if row.source_id not in sources:
            continue
        own = periods.get(row.load_id, ())
        calendar = workspace.config.calendar.spans
        remarks = _list_remarks(row, sources[row.source_id], own, corrected[row.load_id], calendar)
        remarks += _list_replaced(replaced, names, row.load_id)
        logged.append(
            LoggedLoad(
                row.load_id,
                row.source_id,
                row.contract_id,
                row.file_name,
                row.sha256,
                row.reading,
                row.mapping_id,
                own,
                row.records_delivered,
                row.records_accepted,
                row.records_quarantined,
                row.landed_at,
                row.landed_by,
                find_state(row),
                names.get(row.superseded_by),
                tuple(remarks),
            )
        )
    return logged


def count_held(books: Books) -> dict[str, int]:
    """How many deliveries of each source are on hold; sources without any are left out."""
    return dict(Counter(load.source_id for load in list_held(books)))


def list_held(books: Books) -> list[HeldLoad]:
    """The deliveries that wait for a decision, by source and in the order in which they came."""
    from sqlalchemy import select

    from pipelines.books.tables import load_amounts, loads

    query = select(loads).where(loads.c.hold_kind.is_not(None))
    with books.read() as connection:
        rows = connection.execute(query.order_by(loads.c.source_id, loads.c.load_id)).all()
        held = [row for row in rows if find_state(row) == "held"]
        periods = _read_periods(connection)
        amounts: dict[int, dict[str, Decimal]] = defaultdict(dict)
        wanted = load_amounts.c.load_id.in_([row.load_id for row in held])
        for row in connection.execute(select(load_amounts).where(wanted)):
            own = amounts[row.load_id]
            code = row.currency_code
            own[code] = own.get(code, Decimal(0)) + Decimal(row.amount_local)
    return [
        HeldLoad(
            row.source_id,
            row.file_name,
            periods.get(row.load_id, ()),
            row.records_delivered,
            dict(sorted(amounts[row.load_id].items())),
            row.hold_reason or "",
            row.landed_at,
        )
        for row in held
    ]


def find_gaps(workspace: Workspace, loads: Sequence[LoggedLoad]) -> list[SequenceGap]:
    """What is missing in the sequence of each source's deliveries that count or wait."""
    by_source: dict[str, list[LoggedLoad]] = defaultdict(list)
    for load in loads:
        by_source[load.source_id].append(load)
    calendar = [row[0] for row in workspace.config.calendar.periods()]
    gaps = []
    for source_id, own in sorted(by_source.items()):
        here = {p for load in own if load.state in ("counts", "held") for p in load.periods}
        missing = _find_missing_periods(calendar, here)
        if missing:
            gaps.append(SequenceGap(source_id, "period", missing))
        pattern = workspace.config.sources[source_id].file_sequence
        numbers = _find_missing_numbers(pattern, [load.file_name for load in own])
        if numbers:
            gaps.append(SequenceGap(source_id, "file number", numbers))
    return gaps


def find_state(row: Row[Any]) -> LoadState:
    """Where a row of the books' loads stands."""
    if row.superseded_by is not None:
        return "superseded"
    if row.hold_decision == "discarded":
        return "discarded"
    if row.hold_kind is not None and row.hold_decision != "released":
        return "held"
    return "counts"


def _read_periods(connection: Connection) -> dict[int, tuple[str, ...]]:
    from sqlalchemy import select

    from pipelines.books.tables import load_periods as table

    found: dict[int, list[str]] = defaultdict(list)
    for load_id, period in connection.execute(
        select(table.c.load_id, table.c.period_id).order_by(table.c.load_id, table.c.period_id)
    ):
        found[load_id].append(period)
    return {load_id: tuple(periods) for load_id, periods in found.items()}


def _read_replaced(connection: Connection) -> list[tuple[int, str, int, str]]:
    """(load, period, load that counts in it instead, what the first one holds of it)."""
    from sqlalchemy import select

    from pipelines.books.tables import load_amounts, load_periods

    rows = connection.execute(
        select(load_periods.c.load_id, load_periods.c.period_id, load_periods.c.superseded_by)
        .where(load_periods.c.superseded_by.is_not(None))
        .order_by(load_periods.c.load_id, load_periods.c.period_id)
    ).all()
    if not rows:
        return []
    held: dict[tuple[int, str], list[str]] = defaultdict(list)
    for amount in connection.execute(
        select(load_amounts).where(load_amounts.c.load_id.in_({row.load_id for row in rows}))
    ):
        code = "" if amount.currency_code == "?" else f" {amount.currency_code}"
        money = f", {amount.amount_local}{code}" if amount.gross_local != "0" else ""
        text = f"{amount.records_accepted:,} records{money}"
        held[amount.load_id, amount.period_id].append(text)
    return [(*row, "; ".join(held[row.load_id, row.period_id]) or "no records") for row in rows]


def _list_replaced(
    replaced: list[tuple[int, str, int, str]], names: dict[int, str], load_id: int
) -> list[str]:
    """Sentences on the periods of a load that another one counts in, and the other way round."""
    remarks = [
        f"takes the place of {names[load]} in {period} ({held})"
        for load, period, by, held in replaced
        if by == load_id
    ]
    return remarks + [
        f"does not count in {period} ({held}), which {names[by]} holds"
        for load, period, by, held in replaced
        if load == load_id
    ]


def _list_remarks(
    row: Row[Any],
    source: Source,
    periods: tuple[str, ...],
    corrected: list[str],
    calendar: Periods,
) -> list[str]:
    remarks = []
    if corrected:
        remarks.append(f"takes the place of {', '.join(corrected)}")
    if row.reading > 1:
        remarks.append(f"read {row.reading} times, now by mapping '{row.mapping_id}'")
    late = _count_days_late(row.landed_at, source, periods, calendar)
    if late:
        remarks.append(f"{late} days after it was due")
    if row.hold_kind is not None:
        remarks.append(f"{row.hold_decision or 'on hold'}: {row.hold_reason}")
    if row.records_delivered == 0:
        remarks.append("nil return")
    return remarks


def _count_days_late(
    landed_at: str, source: Source, periods: tuple[str, ...], calendar: Periods
) -> int:
    """Days between the day on which the last period was due and the landing; 0 where in time."""
    if source.due_days is None or not periods:
        return 0
    try:
        end = calendar.find_days(periods[-1]).end
    except KeyError:
        # A day outside the calendar has no period that could be due.
        return 0
    due = end + timedelta(days=source.due_days)
    landed = datetime.fromisoformat(landed_at).astimezone(UTC).date()
    return max((landed - due).days, 0)


def _find_missing_periods(calendar: list[str], here: set[str]) -> tuple[str, ...]:
    known = [period for period in calendar if period in here]
    if not known:
        return ()
    return tuple(p for p in calendar if known[0] <= p <= known[-1] and p not in here)


def _find_missing_numbers(pattern: str | None, names: list[str]) -> tuple[str, ...]:
    if pattern is None:
        return ()
    found = [match[1] for name in names if (match := re.search(pattern, name))]
    numbers = {int(text) for text in found if text.isdecimal()}
    if not numbers:
        return ()
    width = max(len(text) for text in found)
    missing = sorted(set(range(min(numbers), max(numbers))) - numbers)
    return tuple(f"{number:0{width}d}" for number in missing)
