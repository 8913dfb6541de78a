"""`apportion period calendar` and `period tick`: what is to do for a close, and what is late."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.output import JsonOption, WorkspaceOption, print_json, print_table
from pipelines.errors import EXIT_DONE, UsageError

if TYPE_CHECKING:
    from datetime import date

    from pipelines.books.books import Books
    from pipelines.close.calendar.due_tasks import DueTask
    from pipelines.workspace.workspace import Workspace

PeriodArgument = Annotated[str, typer.Argument(help="Period, such as 2026-03.")]


def register(group: typer.Typer) -> None:
    """Add the commands to the group `period`."""
    group.command("calendar")(calendar)
    group.command("tick")(tick)


def calendar(
    period: PeriodArgument,
    today: Annotated[
        str | None, typer.Option("--today", help="As of this day; default today.")
    ] = None,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Show what is to be done for the close of a period, by whom, by when, and what is late."""
    from pipelines.close.calendar.due_tasks import list_due_tasks

    day = _parse_day(today)
    with _open_books(workspace) as (space, books), books.read() as connection:
        tasks = list_due_tasks(connection, space.config, period, day)
    if as_json:
        print_json(tasks)
        return EXIT_DONE
    print_table(
        f"{period}: {summarise_tasks(tasks)}",
        ["due", "task", "what", "owner", "state", "by whom, when"],
        [
            (task.due_date, task.task_id, task.name, task.owner, _say_state(task), _say_done(task))
            for task in tasks
        ],
    )
    return EXIT_DONE


def tick(
    period: PeriodArgument,
    task: Annotated[str, typer.Argument(help="Id of the task, as 'period calendar' lists it.")],
    undo: Annotated[bool, typer.Option("--undo", help="Take a tick back; needs --why.")] = False,
    why: Annotated[
        str | None, typer.Option("--why", help="A remark; with --undo the reason.")
    ] = None,
    person: Annotated[
        str | None, typer.Option("--as", help="Act as this person; in a workspace of a demo only.")
    ] = None,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Say of a task of the close calendar that it is done."""
    from pipelines.books.person import act_as
    from pipelines.close.calendar.ticks import tick_task

    with (
        _open_books(workspace) as (space, books),
        act_as(person, is_demo=space.config.is_demo),
    ):
        ticked = tick_task(books, space.config, period, task, is_done=not undo, why=why)
    if as_json:
        print_json(ticked)
    else:
        verb = "takes the tick back from" if undo else "ticks"
        print(f"{ticked.person_name} {verb} '{task}' of {period}.")
    return EXIT_DONE


def summarise_tasks(tasks: list[DueTask]) -> str:
    """'2 of 9 tasks are done, 3 are late, 1 is due today'."""
    counts = {
        state: sum(task.state == state for task in tasks) for state in ("done", "late", "due")
    }
    parts = [f"{counts['done']} of {len(tasks)} tasks done"]
    for state, words in (("late", "late"), ("due", "due today")):
        if counts[state]:
            parts.append(f"{counts[state]} {words}")
    return ", ".join(parts)


def _say_state(task: DueTask) -> str:
    if not task.days_late:
        return "due today" if task.state == "due" else task.state
    days = f"{task.days_late} day{'s' if task.days_late > 1 else ''}"
    return f"done, {days} late" if task.done else f"LATE by {days}"


def _say_done(task: DueTask) -> str:
    if task.done is None:
        return f"when {task.done_when}" if task.done_when != "manual" else ""
    return f"{task.done.person_name}, {task.done.at[:16].replace('T', ' ')}"


def _parse_day(text: str | None) -> date | None:
    from datetime import date

    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--today expects a day such as 2026-04-09, found '{text}'") from None


@contextmanager
def _open_books(directory: Path) -> Iterator[tuple[Workspace, Books]]:
    from pipelines.books.books import Books
    from pipelines.workspace.workspace import Workspace

    space = Workspace.open(directory)
    books = Books.open(space)
    try:
        yield space, books
    finally:
        books.close()
