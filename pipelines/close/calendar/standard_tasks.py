"""The calendar of a workspace that names no tasks: its feeds first, then the steps of the period.

Every source of actual figures whose records belong to a period has a day: the one that its
`due_days` say, else the third working day for what a build needs, the fourth for all others. The
steps follow, one a day, so that each has an owner's day of its own.
"""

from __future__ import annotations

from datetime import date, timedelta

from pipelines.close.calendar.working_days import find_working_day
from pipelines.contracts.contract import load_contract
from pipelines.workspace.close_calendar import CalendarTask
from pipelines.workspace.config import WorkspaceConfig

NEEDED_DAY, OTHER_DAY = 3, 4
FINANCE, DATA_OWNER, APPROVER = "Finance", "Sender of the data", "Approver"

STEPS = (
    CalendarTask(
        id="calculate",
        name="Calculate the period",
        working_day=5,
        owner=FINANCE,
        done_when="step calculate",
        description="Look at checks and open items first; then bind the period to its figures.",
    ),
    CalendarTask(
        id="review",
        name="Review the figures",
        working_day=6,
        owner=APPROVER,
        done_when="step review",
        description="Somebody else than who calculated them.",
    ),
    CalendarTask(
        id="approve",
        name="Approve the period",
        working_day=8,
        owner=APPROVER,
        done_when="step approve",
        description="Once nothing blocks that nobody accepted.",
    ),
    CalendarTask(
        id="close",
        name="Close the period",
        working_day=9,
        owner=FINANCE,
        done_when="step close",
    ),
    CalendarTask(
        id="send",
        name="Send the statements",
        working_day=10,
        owner=FINANCE,
        done_when="sent",
    ),
)


def list_tasks(config: WorkspaceConfig) -> tuple[CalendarTask, ...]:
    """The tasks of the workspace's calendar; the standard ones where it names none."""
    return tuple(config.close.calendar.tasks) or (*_list_feeds(config), *STEPS)


def find_due_date(config: WorkspaceConfig, task: CalendarTask, period_end: date) -> date:
    """The day on which a task is due. `period_end` is the first day after the period."""
    source = config.sources.get(task.source_id or "")
    is_standard = not config.close.calendar.tasks
    if is_standard and source is not None and source.due_days is not None:
        return period_end + timedelta(days=source.due_days)
    return find_working_day(period_end, task.working_day, set(config.close.calendar.holidays))


def _list_feeds(config: WorkspaceConfig) -> list[CalendarTask]:
    needed = config.control_total.source_ids
    return [
        CalendarTask(
            id=f"feed-{source_id}",
            name=f"Deliver {source_id.replace('_', ' ')}",
            working_day=NEEDED_DAY if source.is_required or source_id in needed else OTHER_DAY,
            owner=DATA_OWNER,
            done_when=f"feed {source_id}",
        )
        for source_id, source in config.sources.items()
        if source.scenario == "actual" and load_contract(source.contract).period_field is not None
    ]
