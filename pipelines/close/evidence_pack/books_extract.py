"""What the books know of one version of a period, read in one state of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.close.period_states import ACTUAL, PeriodState, list_steps
from pipelines.errors import UsageError

if TYPE_CHECKING:
    from sqlalchemy import Connection

Record = dict[str, Any]
STATED = ("calculated", "reviewed", "approved", "closed")


@dataclass(frozen=True)
class BooksExtract:
    """States, steps and decisions of a version of a period; each list in the order it came."""

    state: PeriodState
    steps: list[Record]
    """Of this version and those before it, and the reopening that ended it."""
    acceptances: list[Record]
    ticks: list[Record]
    journals: list[Record]
    closes: list[PeriodState]
    """Every close up to this one, the first one first."""
    run_ids: frozenset[str]
    """Runs that the period was bound to by a step."""


def find_version(connection: Connection, period_id: str, version: int | None) -> PeriodState:
    """The version that evidence is written of: the named one, else the newest that was calculated.

    Raises UsageError where there is none.
    """
    states = _list_versions(connection, period_id)
    found = [
        state for state in states if state.state in STATED and version in (None, state.version)
    ]
    if found:
        return found[-1]
    known = ", ".join(f"version {state.version} is {state.state}" for state in states)
    what = f"{period_id}" + (f" version {version}" if version is not None else "")
    raise UsageError(
        f"there is no evidence of {what} yet: it is written of periods that were calculated, "
        f"as a preview, and of closed ones; {known or f'{period_id} is open'}"
    )


def read_extract(connection: Connection, state: PeriodState) -> BooksExtract:
    """All of it for one version."""
    from pipelines.books import tables

    steps = [
        step
        for step in list_steps(connection, state.period_id)
        if step["version"] <= state.version
        or (step["version"] == state.version + 1 and step["step"] == "reopen")
    ]
    return BooksExtract(
        state,
        steps,
        _read(connection, tables.accepted_blockers, state, "acceptance_id"),
        _read(connection, tables.calendar_ticks, state, "tick_id"),
        _read(connection, tables.journal_exports, state, "export_id"),
        _list_closes(connection, state),
        frozenset(step["run_id"] for step in steps if step["run_id"]),
    )


def _list_versions(connection: Connection, period_id: str) -> list[PeriodState]:
    from pipelines.books.tables import periods

    rows = connection.execute(
        periods.select()
        .where(periods.c.scenario_id == ACTUAL, periods.c.period_id == period_id)
        .order_by(periods.c.version)
    ).mappings()
    return [_to_state(row) for row in rows]


def _list_closes(connection: Connection, state: PeriodState) -> list[PeriodState]:
    from pipelines.books.tables import periods

    query = periods.select().where(periods.c.close_number.is_not(None))
    if state.close_number is not None:
        query = query.where(periods.c.close_number <= state.close_number)
    rows = connection.execute(query.order_by(periods.c.close_number)).mappings()
    return [_to_state(row) for row in rows]


def _to_state(row: Any) -> PeriodState:
    return PeriodState(**{name: row[name] for name in PeriodState.__dataclass_fields__})


def _read(connection: Connection, table: Any, state: PeriodState, order: str) -> list[Record]:
    rows = connection.execute(
        table.select()
        .where(table.c.period_id == state.period_id, table.c.version == state.version)
        .order_by(table.c[order])
    ).mappings()
    return [dict(row) for row in rows]
