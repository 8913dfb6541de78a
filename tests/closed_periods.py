"""Bring a period to a state in the books by the steps that lead there, for tests that need one."""

from __future__ import annotations

from pipelines.books.books import Books
from pipelines.books.person import act_as
from pipelines.close.desk import CloseDesk
from pipelines.close.period_states import (
    Figures,
    approve,
    ask_reopening,
    calculate,
    read_state,
    record_close,
    reopen,
    review,
)

PREPARER, APPROVER = "Petra Preparer", "Anton Approver"
FIGURES = Figures("run", "0" * 64)


def close_period(books: Books, period_id: str) -> None:
    """A closed period, without any figures: for what must not go into one."""
    from sqlalchemy import text

    with books.begin() as connection:
        connection.execute(
            text(
                "insert into runs (run_id, fingerprint, state, started_at, person_name, steps) "
                "values ('run', '', 'published', '', '', '[]') on conflict do nothing"
            )
        )
    with act_as(PREPARER, is_demo=True):
        calculate(books, period_id, FIGURES)
    with act_as(APPROVER, is_demo=True):
        review(books, period_id, FIGURES)
        approve(books, period_id, FIGURES)
    with books.begin() as connection:
        state = read_state(connection, period_id)
        record_close(connection, state, "f" * 64)


def approve_published(desk: CloseDesk, period_id: str) -> None:
    """Take a period with published figures to its approval, whatever would block it."""
    with act_as(PREPARER, is_demo=True):
        desk.calculate(period_id)
    with act_as(APPROVER, is_demo=True):
        desk.review(period_id)
        for blocker in desk.list_blockers(period_id):
            desk.accept(period_id, blocker.blocker_id, "as it is in a test")
        desk.approve(period_id)


def reopen_period(books: Books, period_id: str) -> None:
    """The next version of a closed period."""
    with act_as(PREPARER, is_demo=True):
        ask_reopening(books, period_id, "a test")
    with act_as(APPROVER, is_demo=True):
        reopen(books, period_id)
