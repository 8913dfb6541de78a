"""The sentences of the page Close: can the period be closed, what blocks it, what is late."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from app.formats import format_amount, format_count, format_period
from app.queries.close import CloseFacts, CloseUnknown
from pipelines.close.blockers import Blocker
from pipelines.close.calendar.due_tasks import DueTask
from pipelines.close.period_states import PeriodState

NEXT_STEPS = {
    "open": "next it is calculated",
    "calculated": "next somebody else reviews it",
    "reviewed": "next it is approved",
}


def state_close(facts: CloseFacts | CloseUnknown, period_id: str, currency: str) -> str:
    """'Mar 2026 is blocked by 2 things worth 12.4 k EUR' or '... can be closed: nothing blocks'."""
    name = format_period(period_id)
    if isinstance(facts, CloseUnknown):
        return f"The close of {name} cannot be judged"
    state = facts.state
    if state.state == "closed":
        version = f" as version {state.version}" if state.version > 1 else ""
        return f"{name} is closed{version}, close number {state.close_number}"
    left = list_blocking(facts.blockers)
    if left:
        worth = sum_blocking(left)
        money = f" worth {format_amount(worth, currency)}" if worth else ""
        return f"{name} is blocked by {format_count(len(left), 'thing')}{money}"
    if state.state == "approved":
        return f"{name} can be closed: nothing blocks"
    return f"Nothing blocks {name}; {NEXT_STEPS[state.state]}"


def list_blocking(blockers: Sequence[Blocker]) -> list[Blocker]:
    """What blocks and is not accepted."""
    return [blocker for blocker in blockers if blocker.blocks]


def sum_blocking(blockers: Sequence[Blocker]) -> Decimal:
    """The sizes of their amounts; those without one are about no money."""
    return sum((abs(item.amount) for item in blockers if item.amount is not None), Decimal(0))


def capitalise(sentence: str) -> str:
    """A finding as a sentence of its own: with a capital, the rest as it is."""
    return sentence[:1].upper() + sentence[1:]


def say_blocker(blocker: Blocker) -> str:
    """What to do, or who accepted it and why."""
    if blocker.accepted_by:
        return f"Accepted by {blocker.accepted_by}: {blocker.why}"
    can = "" if blocker.can_be_accepted else " It cannot be accepted."
    return f"{blocker.what_to_do}{can}".strip()


def say_task(task: DueTask) -> str:
    """'late by 3 days', 'done, 2 days late', 'due today', 'done', 'to come'."""
    days = format_count(task.days_late, "day")
    if task.done is not None:
        return f"done, {days} late" if task.days_late else "done"
    if task.days_late:
        return f"late by {days}"
    return "due today" if task.state == "due" else "to come"


def say_tasks(tasks: Sequence[DueTask]) -> str:
    """'4 of 9 done, 2 late'."""
    late = sum(task.state == "late" for task in tasks)
    done = sum(task.state == "done" for task in tasks)
    return f"{done} of {len(tasks)} done" + (f", {late} late" if late else "")


def say_signatures(state: PeriodState) -> str:
    """'calculated by Petra on 2026-04-08, reviewed by Anton on 2026-04-09'."""
    signed = (
        ("calculated", state.prepared_by, state.prepared_at),
        ("reviewed", state.reviewed_by, state.reviewed_at),
        ("approved", state.approved_by, state.approved_at),
        ("closed", state.closed_by, state.closed_at),
    )
    return ", ".join(f"{verb} by {who} on {str(when)[:10]}" for verb, who, when in signed if who)
