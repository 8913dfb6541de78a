"""The calendar of one period: what is to be done for its close, by whom, by when, and what is late.

Everything is worked out from the configuration and the books: a feed is done when a delivery of its
source counts that holds the period, a step when the period's newest version has taken it, a manual
task when it is ticked. The calendar blocks nothing; a feed that is missing at the close is one of
the period's blockers, and only there.

Days are days of the workspace's time zone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from pipelines.close.calendar.sent_statements import find_sending
from pipelines.close.calendar.standard_tasks import find_due_date, list_tasks
from pipelines.close.calendar.ticks import list_ticks
from pipelines.close.period_states import ACTUAL, PeriodState, read_state
from pipelines.errors import UsageError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from pipelines.workspace.close_calendar import CalendarTask
    from pipelines.workspace.config import WorkspaceConfig

TaskState = Literal["done", "late", "due", "upcoming"]
SIGNERS = {"calculate": "prepared", "review": "reviewed", "approve": "approved", "close": "closed"}


@dataclass(frozen=True)
class Done:
    """Who did it, and when (UTC, ISO text)."""

    person_name: str
    at: str


@dataclass(frozen=True)
class DueTask:
    """A task of one period."""

    task_id: str
    name: str
    owner: str
    working_day: int
    due_date: date
    done_when: str
    description: str
    state: TaskState
    days_late: int
    """Days between the due date and the day it was done, or today; 0 where it is in time."""
    done: Done | None = None


def list_due_tasks(
    connection: Connection, config: WorkspaceConfig, period_id: str, today: date | None = None
) -> list[DueTask]:
    """The tasks of a period in the order in which they are due.

    `today` None is the day in the workspace's time zone; what was done after another day counts as
    not done on it. Raises UsageError where the calendar of
    the workspace has no such period.
    """
    end = _find_end(config, period_id)
    state = read_state(connection, period_id)
    ticks = list_ticks(connection, period_id, state.version)
    zone = ZoneInfo(config.time_zone)
    now = today or datetime.now(zone).date()
    rows = []
    for task in list_tasks(config):
        done: Done | None = None
        if task.source_id is not None:
            done = _find_delivery(connection, task.source_id, period_id)
        elif task.step is not None:
            done = _find_signature(state, task.step)
        elif task.done_when == "sent":
            sending = find_sending(connection, period_id, state.version)
            done = Done(*sending) if sending is not None else None
        elif (tick := ticks.get(task.id)) is not None and tick.is_done:
            done = Done(tick.person_name, tick.ticked_at)
        rows.append(_describe(task, find_due_date(config, task, end), done, now, zone))
    return sorted(rows, key=lambda row: row.due_date)


def _describe(
    task: CalendarTask, due: date, done: Done | None, today: date, zone: ZoneInfo
) -> DueTask:
    day = datetime.fromisoformat(done.at).astimezone(zone).date() if done else today
    if day > today:
        day, done = today, None
    late = max((day - due).days, 0)
    state: TaskState = "upcoming"
    if done is not None:
        state = "done"
    elif late:
        state = "late"
    elif due == today:
        state = "due"
    return DueTask(
        task.id,
        task.name,
        task.owner,
        task.working_day,
        due,
        task.done_when,
        task.description,
        state,
        late,
        done,
    )


def _find_end(config: WorkspaceConfig, period_id: str) -> date:
    ends = {period: end for period, _, end, _, _ in config.calendar.periods()}
    if period_id not in ends:
        first, last = config.calendar.first_period, config.calendar.last_period
        raise UsageError(f"there is no period {period_id}: the calendar has {first} to {last}")
    return ends[period_id]


def _find_signature(state: PeriodState, step: str) -> Done | None:
    """Who took the step in the period's newest version."""
    prefix = SIGNERS[step]
    person, at = getattr(state, f"{prefix}_by"), getattr(state, f"{prefix}_at")
    return Done(str(person), str(at)) if person else None


def _find_delivery(connection: Connection, source_id: str, period_id: str) -> Done | None:
    """The first delivery of the period that counts, or counted until another took its place."""
    from sqlalchemy import select

    from pipelines.books.tables import load_periods, loads
    from pipelines.landing.holds import is_counting

    row = connection.execute(
        select(loads.c.landed_by, loads.c.landed_at)
        .join(load_periods, load_periods.c.load_id == loads.c.load_id)
        .where(
            loads.c.source_id == source_id,
            loads.c.scenario_id == ACTUAL,
            load_periods.c.period_id == period_id,
            is_counting(loads),
        )
        .order_by(loads.c.load_id)
        .limit(1)
    ).first()
    return Done(row.landed_by, row.landed_at) if row is not None else None
