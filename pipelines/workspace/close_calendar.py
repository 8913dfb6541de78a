"""The typed form of `close.calendar` in apportion.yml: what is to be done for a close, and by when.

A day is counted in working days from the end of the period: 1 is the first working day after it,
-1 the last one within it. There is no day 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

MOST_DAYS = 60

FEED, STEP = "feed", "step"
Step = Literal["calculate", "review", "approve", "close"]

TaskId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$", max_length=80)]
DoneWhen = Annotated[
    str,
    Field(
        pattern=r"^(manual|sent|feed [a-z][a-z0-9_]*|step (calculate|review|approve|close))$",
    ),
]
Text = Annotated[str, Field(min_length=1, max_length=200)]


def _refuse_day_zero(number: int) -> int:
    if number == 0:
        raise ValueError(
            "expected 1 for the first working day after the period, -1 for its last one; "
            "there is no day 0"
        )
    return number


WorkingDay = Annotated[int, Field(ge=-MOST_DAYS, le=MOST_DAYS), AfterValidator(_refuse_day_zero)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CalendarTask(Strict):
    """One thing that is to be done for the close of every period."""

    id: TaskId
    name: Text
    working_day: WorkingDay
    owner: Text
    """Who does it: a person, a team, a role."""
    done_when: DoneWhen = "manual"
    """What shows that it is done: `manual` (somebody ticks it), `feed SOURCE` (the source has
    delivered the period), `step STEP` (the period has taken it), `sent` (the statements are)."""
    description: str = ""

    @property
    def source_id(self) -> str | None:
        """The source that it waits for, where it is a feed."""
        kind, _, rest = self.done_when.partition(" ")
        return rest if kind == FEED else None

    @property
    def step(self) -> str | None:
        """The step of the period that it waits for."""
        kind, _, rest = self.done_when.partition(" ")
        return rest if kind == STEP else None


class CloseCalendar(Strict):
    """What is to be done for every close. Monday to Friday are worked on, but for `holidays`."""

    tasks: list[CalendarTask] = Field(default=[])
    """Left out, they are made of the sources and of the steps of a period."""
    holidays: list[date] = Field(default=[])

    @model_validator(mode="after")
    def names_each_task_once(self) -> CloseCalendar:
        names = [task.id for task in self.tasks]
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise ValueError(f"the task '{doubled[0]}' is there twice")
        return self


def list_unknown_feeds(calendar: CloseCalendar, sources: set[str]) -> Iterator[tuple[int, str]]:
    """Position and source of every task that waits for a source which is not configured."""
    for number, task in enumerate(calendar.tasks):
        if task.source_id is not None and task.source_id not in sources:
            yield number, task.source_id
