"""A closed period as it was reported and as it is restated, at any moment.

*Reported* is the newest version that was closed by then. *Posted* are the notes for it that stood
in periods which were closed by then. Both come from frozen files, and what was closed when is said
by the books, so that the answer for a past moment never changes. Asked without a moment, the notes
that stand in the open period come beside them: they are proposed, and change until it is closed.

Notes for another version than the reported one do not count: a version that was opened again and
closed anew holds what they corrected. A business unit's reported charges are those of the unit that
had the cost centre then; its notes are those that it was billed.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.close.period_states import ACTUAL
from pipelines.errors import ControlError, NothingPublishedError, UsageError
from pipelines.warehouse.closed_periods import find_directory, name_close

if TYPE_CHECKING:
    import duckdb

    from pipelines.books.books import Books
    from pipelines.workspace.workspace import Workspace

BILL_ITEMS = "fct_bill_items_monthly"


@dataclass(frozen=True)
class CorrectionNote:
    """One credit or debit note for the period."""

    reference_id: str
    posted_in: str
    is_closed: bool
    """Whether it stands in a closed period; others can still change."""
    service_id: str
    service_name: str
    cost_centre_id: str
    business_unit_id: str
    amount: Decimal
    reason: str


@dataclass(frozen=True)
class RestatedService:
    """What a service was charged for the period."""

    service_id: str
    service_name: str
    reported_amount: Decimal
    posted_amount: Decimal
    """Notes in periods that were closed by the moment."""
    open_amount: Decimal
    """Notes in the open period; 0 for a past moment."""

    @property
    def restated_amount(self) -> Decimal:
        return self.reported_amount + self.posted_amount + self.open_amount


@dataclass(frozen=True)
class RestatedPeriod:
    """A closed period at a moment."""

    period_id: str
    version: int
    closed_at: str
    as_of: str | None
    """The moment that was asked for; None for now."""
    business_unit_id: str | None
    services: tuple[RestatedService, ...]
    notes: tuple[CorrectionNote, ...]


@dataclass(frozen=True)
class _Close:
    period_id: str
    version: int
    closed_at: str
    is_open_again: bool = False
    """Whether the next version was open at the moment: its notes are proposed anew there."""


def read_restated(
    workspace: Workspace,
    books: Books,
    period_id: str,
    *,
    as_of: datetime | None = None,
    business_unit_id: str | None = None,
) -> RestatedPeriod:
    """The period as reported and as restated at `as_of`, by service. Raises ControlError where it
    was not closed by then."""
    closes = _list_closes(books, as_of)
    origin = closes.get(period_id)
    if origin is None:
        when = f"on {as_of:%Y-%m-%d %H:%M} UTC" if as_of else "yet"
        raise ControlError(
            f"{period_id} was not closed {when}: only what was reported can be restated. "
            "'apportion period list' says which periods are closed."
        )
    reported = _read_charges(workspace, origin, business_unit_id)
    notes = [
        note
        for close in closes.values()
        if close.period_id > period_id and not close.is_open_again
        for note in _read_frozen_notes(workspace, close, origin)
    ]
    if as_of is None:
        notes += _read_open_notes(workspace, origin, {note.reference_id for note in notes})
    if business_unit_id is not None:
        notes = [note for note in notes if note.business_unit_id == business_unit_id]
    return RestatedPeriod(
        period_id,
        origin.version,
        origin.closed_at,
        as_of.isoformat() if as_of else None,
        business_unit_id,
        _sum_by_service(reported, notes),
        tuple(sorted(notes, key=lambda note: (note.posted_in, note.service_id, note.reference_id))),
    )


def parse_moment(text: str) -> datetime:
    """A date, which is the end of its day (UTC), or a moment in ISO form. Raises UsageError."""
    try:
        if len(text) == len("2026-01-31"):
            return datetime.combine(date.fromisoformat(text), time.max, UTC)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"--as-of expects a date such as 2026-04-30 or a moment such as 2026-04-30T12:00, "
            f"found '{text}'"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _list_closes(books: Books, as_of: datetime | None) -> dict[str, _Close]:
    """By period the newest version that was closed by the moment. A period that is open again
    counts as it was closed: that is what was reported."""
    from sqlalchemy import select

    from pipelines.books.tables import period_steps, periods

    closed = (
        select(periods.c.period_id, periods.c.version, periods.c.closed_at)
        .where(periods.c.scenario_id == ACTUAL, periods.c.state == "closed")
        .order_by(periods.c.period_id, periods.c.version)
    )
    reopened = select(
        period_steps.c.period_id, period_steps.c.version, period_steps.c.taken_at
    ).where(period_steps.c.scenario_id == ACTUAL, period_steps.c.step == "reopen")

    def is_past(moment: str) -> bool:
        return as_of is None or datetime.fromisoformat(moment) <= as_of

    with books.read() as connection:
        rows = [_Close(*row) for row in connection.execute(closed)]
        opened = {
            (row.period_id, row.version - 1)
            for row in connection.execute(reopened)
            if is_past(row.taken_at)
        }
    return {
        row.period_id: replace(row, is_open_again=(row.period_id, row.version) in opened)
        for row in rows
        if is_past(row.closed_at)
    }


def _read_charges(
    workspace: Workspace, close: _Close, business_unit_id: str | None
) -> list[tuple[str, str, Decimal]]:
    """Service, its name and what was charged for it."""
    with _connect(workspace, close) as frozen:
        return frozen.execute(
            "select service_id, any_value(service_name), sum(charged_amount) "
            "from marts.fct_charges_monthly where scenario_id = 'actual' and period_id = $period "
            "and disposition = 'allocated' and charging_policy <> 'showback' "
            "and ($unit is null or business_unit_id = $unit) group by service_id order by all",
            {"period": close.period_id, "unit": business_unit_id},
        ).fetchall()


def _read_frozen_notes(workspace: Workspace, close: _Close, origin: _Close) -> list[CorrectionNote]:
    with _connect(workspace, close) as frozen:
        there = frozen.execute(
            "select count(*) from duckdb_tables() where table_name = ?", [BILL_ITEMS]
        ).fetchall()[0][0]
        # A period that was frozen before there were notes has none.
        return _read_notes(frozen, f"marts.{BILL_ITEMS}", close, origin) if there else []


def _read_open_notes(
    workspace: Workspace, origin: _Close, posted: set[str]
) -> list[CorrectionNote]:
    """Notes that are published and stand in no closed period."""
    from pipelines.warehouse.reader import open_published

    try:
        with open_published(workspace) as marts:
            return [
                note
                for note in _read_notes(marts, BILL_ITEMS, None, origin)
                if note.reference_id not in posted
            ]
    except NothingPublishedError:
        return []


def _read_notes(
    marts: duckdb.DuckDBPyConnection, table: str, close: _Close | None, origin: _Close
) -> list[CorrectionNote]:
    rows = marts.execute(
        "select reference_id, period_id, service_id, service_name, cost_centre_id, "
        f"business_unit_id, amount, reason from {table} where item_kind = 'correction' "
        "and scenario_id = 'actual' and origin_period_id = ? and origin_version = ? order by all",
        [origin.period_id, origin.version],
    ).fetchall()
    return [
        CorrectionNote(
            reference, posted_in, close is not None, service, name, centre, unit, amount, reason
        )
        for reference, posted_in, service, name, centre, unit, amount, reason in rows
        if close is None or posted_in == close.period_id
    ]


def _sum_by_service(
    reported: list[tuple[str, str, Decimal]], notes: list[CorrectionNote]
) -> tuple[RestatedService, ...]:
    names = {note.service_id: note.service_name for note in notes}
    names |= {service_id: name for service_id, name, _ in reported}
    sums: dict[tuple[str, str], Decimal] = defaultdict(lambda: Decimal("0.00"))
    for service_id, _, amount in reported:
        sums[service_id, "reported"] += amount
    for note in notes:
        sums[note.service_id, "posted" if note.is_closed else "open"] += note.amount
    return tuple(
        RestatedService(
            service_id,
            names[service_id],
            *(sums[service_id, part] for part in ("reported", "posted", "open")),
        )
        for service_id in sorted(names)
    )


def _connect(workspace: Workspace, close: _Close) -> duckdb.DuckDBPyConnection:
    import duckdb

    name = name_close(close.period_id, close.version)
    path = find_directory(workspace, close.period_id, close.version) / f"{name}.duckdb"
    if not path.is_file():
        raise ControlError(
            f"{path} is missing: it holds {close.period_id} as it was closed. Restore it from a "
            "backup; 'apportion verify' says what else is missing."
        )
    return duckdb.connect(str(path), read_only=True)
