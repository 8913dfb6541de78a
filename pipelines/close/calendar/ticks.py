"""Tick the tasks of a period that nothing else shows to be done, and take a tick back.

A tick is a row of the books that is never changed; taking it back is a row of its own, with a
reason. It belongs to a version of its period: what was ticked before a reopening is done again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.books.audit import append_audit
from pipelines.books.books import Books, current_time
from pipelines.books.person import current_person
from pipelines.close.calendar.standard_tasks import list_tasks
from pipelines.close.period_states import read_state
from pipelines.errors import ControlError, UsageError
from pipelines.workspace.config import WorkspaceConfig

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True)
class Tick:
    """The latest tick of a task in one version of a period."""

    task_id: str
    is_done: bool
    person_name: str
    ticked_at: str
    why: str | None


def list_ticks(connection: Connection, period_id: str, version: int) -> dict[str, Tick]:
    """The latest tick by task, those that were taken back among them."""
    from sqlalchemy import select

    from pipelines.books.tables import calendar_ticks as table

    rows = connection.execute(
        select(
            table.c.task_id, table.c.is_done, table.c.person_name, table.c.ticked_at, table.c.why
        )
        .where(table.c.period_id == period_id, table.c.version == version)
        .order_by(table.c.tick_id)
    )
    return {row.task_id: Tick(*row) for row in rows}


def tick_task(
    books: Books,
    config: WorkspaceConfig,
    period_id: str,
    task_id: str,
    *,
    is_done: bool = True,
    why: str | None = None,
) -> Tick:
    """Say that a task of the period is done, or with `is_done` False that it is not after all.

    Raises UsageError where the calendar has no such task, where the task is not ticked by hand or a
    reason is missing; ControlError where it is ticked already, or is not ticked.
    """
    from pipelines.books.tables import calendar_ticks

    _refuse_unknown_period(config, period_id)
    _refuse_other_tasks(config, task_id)
    reason = (why or "").strip() or None
    if not is_done and reason is None:
        raise UsageError("--undo expects --why with the reason, for those who ask later")
    with books.begin() as connection:
        version = read_state(connection, period_id).version
        known = list_ticks(connection, period_id, version).get(task_id)
        if is_done and known is not None and known.is_done:
            raise ControlError(
                f"'{task_id}' of {period_id} was ticked by {known.person_name} on "
                f"{known.ticked_at[:10]} already; '--undo --why REASON' takes it back"
            )
        if not is_done and (known is None or not known.is_done):
            raise ControlError(f"'{task_id}' of {period_id} is not ticked: nothing to take back")
        tick = Tick(task_id, is_done, current_person(), current_time(), reason)
        row = {"period_id": period_id, "version": version, "task_id": task_id, "why": reason}
        connection.execute(
            calendar_ticks.insert().values(
                **row, is_done=is_done, person_name=tick.person_name, ticked_at=tick.ticked_at
            )
        )
        action = "tick task" if is_done else "take tick back"
        append_audit(connection, action, f"{period_id} {task_id}", row)
    return tick


def _refuse_unknown_period(config: WorkspaceConfig, period_id: str) -> None:
    known = [period[0] for period in config.calendar.periods()]
    if period_id not in known:
        raise UsageError(
            f"there is no period {period_id}: the calendar has {known[0]} to {known[-1]}"
        )


def _refuse_other_tasks(config: WorkspaceConfig, task_id: str) -> None:
    tasks = {task.id: task for task in list_tasks(config)}
    if task_id not in tasks:
        manual = ", ".join(task.id for task in tasks.values() if task.done_when == "manual")
        raise UsageError(
            f"the calendar has no task '{task_id}'; ticked by hand are: {manual or 'none'}"
        )
    if tasks[task_id].done_when != "manual":
        raise UsageError(
            f"'{task_id}' is done when '{tasks[task_id].done_when}' is: nobody ticks it by hand"
        )
