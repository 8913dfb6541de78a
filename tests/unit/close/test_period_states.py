"""A period goes from open to closed step by step, by two people, on SQLite and on PostgreSQL; what
the code refuses the database refuses too, whoever writes to it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from pipelines.books.audit import find_chain_breaks
from pipelines.books.books import BOOKS_URL_VARIABLE, Books
from pipelines.books.person import act_as
from pipelines.close.period_states import (
    Figures,
    approve,
    ask_reopening,
    calculate,
    list_steps,
    read_state,
    reopen,
    review,
    send_back,
)
from pipelines.errors import ControlError, UsageError
from pipelines.workspace.workspace import Workspace
from tests.closed_periods import APPROVER, FIGURES, PREPARER, close_period
from tests.postgres_server import PostgresDatabase

MARCH = "2026-03"
OTHER = Figures("run", "1" * 64)


@pytest.fixture(params=["sqlite", "postgresql"])
def books(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Books]:
    if request.param == "postgresql":
        database: PostgresDatabase = request.getfixturevalue("postgres_database")
        monkeypatch.setenv(BOOKS_URL_VARIABLE, database.address)
    else:
        monkeypatch.delenv(BOOKS_URL_VARIABLE, raising=False)
    (tmp_path / "apportion.yml").write_text("name: x\n", "utf-8")
    made = Books.open(Workspace.open(tmp_path))
    with made.begin() as connection:
        connection.execute(
            text(
                "insert into runs (run_id, fingerprint, state, started_at, person_name, steps) "
                "values ('run', '', 'published', '', '', '[]')"
            )
        )
    yield made
    made.close()


def _state(books: Books, period: str = MARCH) -> tuple[str, int]:
    with books.read() as connection:
        state = read_state(connection, period)
    return state.state, state.version


def _as(name: str) -> AbstractContextManager[None]:
    return act_as(name, is_demo=True)


def _prepare(books: Books, *steps: str) -> None:
    with _as(PREPARER):
        calculate(books, MARCH, FIGURES)
    with _as(APPROVER):
        for step in steps:
            {"review": review, "approve": approve}[step](books, MARCH, FIGURES)


def test_two_people_take_a_period_to_its_approval(books: Books) -> None:
    assert _state(books) == ("open", 1)
    _prepare(books, "review", "approve")
    assert _state(books) == ("approved", 1)
    with books.read() as connection:
        steps = [(step["step"], step["person_name"]) for step in list_steps(connection, MARCH)]
        assert find_chain_breaks(connection) == []
    assert steps == [("calculate", PREPARER), ("review", APPROVER), ("approve", APPROVER)]


@pytest.mark.parametrize("name", [PREPARER, f"  {PREPARER.upper()}  ", PREPARER.lower()])
def test_who_calculated_neither_reviews_nor_approves(books: Books, name: str) -> None:
    _prepare(books)
    with _as(name), pytest.raises(ControlError, match="somebody else must review"):
        review(books, MARCH, FIGURES)
    with _as(APPROVER):
        review(books, MARCH, FIGURES)
    with _as(name), pytest.raises(ControlError, match="somebody else must approve"):
        approve(books, MARCH, FIGURES)
    assert _state(books) == ("reviewed", 1)


def test_steps_are_taken_in_their_order(books: Books) -> None:
    with _as(APPROVER), pytest.raises(ControlError, match="2026-03 is open; to approve it"):
        approve(books, MARCH, FIGURES)
    _prepare(books)
    with _as(APPROVER), pytest.raises(ControlError, match="must be reviewed first"):
        approve(books, MARCH, FIGURES)


def test_other_figures_than_the_calculated_ones_are_not_signed(books: Books) -> None:
    _prepare(books)
    with _as(APPROVER), pytest.raises(ControlError, match="Calculate it again"):
        review(books, MARCH, OTHER)
    _prepare(books, "review")
    with _as(APPROVER), pytest.raises(ControlError, match="Calculate it again"):
        approve(books, MARCH, OTHER)


def test_calculating_again_drops_the_signatures(books: Books) -> None:
    _prepare(books, "review", "approve")
    with _as(APPROVER):
        state = calculate(books, MARCH, OTHER)
    assert (state.state, state.prepared_by) == ("calculated", APPROVER)
    assert (state.reviewed_by, state.approved_by) == (None, None)


def test_sent_back_period_is_open_and_says_why(books: Books) -> None:
    _prepare(books, "review")
    with pytest.raises(UsageError, match="--why"):
        send_back(books, MARCH, "  ")
    send_back(books, MARCH, "the cloud bill is missing")
    assert _state(books) == ("open", 1)
    with books.read() as connection:
        assert list_steps(connection, MARCH)[-1]["why"] == "the cloud bill is missing"
    with pytest.raises(ControlError, match="nothing to send back"):
        send_back(books, MARCH, "again")


def test_closed_period_is_neither_calculated_nor_sent_back(books: Books) -> None:
    close_period(books, MARCH)
    with pytest.raises(ControlError, match="is closed and its figures do not change"):
        calculate(books, MARCH, OTHER)
    with pytest.raises(ControlError, match="nothing to send back"):
        send_back(books, MARCH, "why not")


def test_reopening_takes_a_reason_and_a_second_person(books: Books) -> None:
    close_period(books, MARCH)
    with _as(APPROVER), pytest.raises(ControlError, match="nobody has asked"):
        reopen(books, MARCH)
    with _as(PREPARER):
        ask_reopening(books, MARCH, "a credit note of the carrier")
        with pytest.raises(ControlError, match="somebody else confirms"):
            reopen(books, MARCH)
    with _as(APPROVER):
        reopen(books, MARCH)
    assert _state(books) == ("open", 2)
    with books.read() as connection:
        rows = connection.execute(text("select version, state from periods order by 1")).all()
    assert [tuple(row) for row in rows] == [(1, "closed"), (2, "open")]
    with _as(APPROVER), pytest.raises(ControlError, match="only a closed period"):
        reopen(books, MARCH)


def test_no_period_is_reopened_before_a_closed_one(books: Books) -> None:
    close_period(books, "2026-02")
    close_period(books, MARCH)
    with pytest.raises(ControlError, match="2026-03 came after 2026-02 and is closed"):
        ask_reopening(books, "2026-02", "late invoice")


def test_of_two_approvals_at_once_one_wins_and_the_other_is_told(books: Books) -> None:
    _prepare(books, "review")
    start, outcomes = threading.Barrier(2), []

    def sign(name: str) -> None:
        start.wait()
        try:
            with _as(name):
                outcomes.append(approve(books, MARCH, FIGURES).approved_by)
        except ControlError as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=sign, args=(f"Approver {n}",)) for n in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with books.read() as connection:
        state = read_state(connection, MARCH)
        approvals = [s for s in list_steps(connection, MARCH) if s["step"] == "approve"]
        assert find_chain_breaks(connection) == []
    assert state.state == "approved"
    assert [step["person_name"] for step in approvals] == [state.approved_by]
    (told,) = [outcome for outcome in outcomes if outcome != state.approved_by]
    assert "2026-03 is approved; to approve it" in str(told)


REFUSED = {
    "an approval by the preparer": (
        ("review",),
        f"update periods set state = 'approved', approved_by = '{PREPARER.upper()} '",
        "ck_periods_approver_differs",
    ),
    "a review by the preparer": (
        (),
        f"update periods set state = 'reviewed', reviewed_by = '{PREPARER}'",
        "ck_periods_reviewer_differs",
    ),
    "an approval by nobody": (
        ("review",),
        "update periods set state = 'approved'",
        "names who approved it",
    ),
    "an approval without a review": (
        (),
        "update periods set state = 'approved', approved_by = 'x'",
        "one step after the other",
    ),
    "a close without an approval": (
        ("review",),
        "update periods set state = 'closed'",
        "one step after the other",
    ),
    "other figures at the close": (
        ("review", "approve"),
        f"update periods set state = 'closed', content_hash = '{'9' * 64}'",
        "what was calculated is what is",
    ),
    "another preparer at the close": (
        ("review", "approve"),
        "update periods set state = 'closed', prepared_by = 'x'",
        "what was calculated is what is",
    ),
    "another approver at the close": (
        ("review", "approve"),
        "update periods set state = 'closed', approved_by = 'x'",
        "who approved a period stands fast",
    ),
    "a close without its manifest": (
        ("review", "approve"),
        "update periods set state = 'closed', closed_by = 'x'",
        "names its manifest",
    ),
    "a period that begins closed": (
        (),
        "insert into periods (scenario_id, period_id, version, state, prepared_by, approved_by, "
        "content_hash) values ('actual', '2026-04', 1, 'closed', 'a', 'b', 'c')",
        "a period begins open",
    ),
    "a deleted period": ((), "delete from periods", "never deleted|only appended to"),
    "a changed history": ((), "update period_steps set person_name = 'x'", "only appended to"),
    "a deleted history": ((), "delete from period_steps", "never deleted|only appended to"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_database_refuses_by_itself(books: Books, case: str) -> None:
    steps, statement, says = REFUSED[case]
    _prepare(books, *steps)
    with pytest.raises(DatabaseError, match=says), books.begin() as connection:
        connection.execute(text(statement))


@pytest.mark.parametrize(
    "statement",
    [
        "update periods set state = 'open'",
        "update periods set approved_by = 'x'",
        "update periods set content_hash = null",
        "update periods set manifest_hash = 'x'",
        "update periods set close_number = 9",
        "update periods set version = 2",
        "update periods set period_id = '2026-04'",
        "update periods set scenario_id = 'budget'",
        "delete from periods",
        "insert into periods (scenario_id, period_id, version, state) "
        "values ('actual', '2026-03', 1, 'open')",
        "insert into periods (scenario_id, period_id, version, state) "
        "values ('actual', '2026-03', 1, 'open') "
        "on conflict (scenario_id, period_id, version) do update set state = 'open'",
        "update period_steps set content_hash = 'x' where step = 'close'",
        "delete from period_steps where step = 'close'",
        "update audit_log set details = '{}' where action = 'period close'",
        "delete from audit_log where action = 'period close'",
    ],
)
def test_database_keeps_a_closed_period(books: Books, statement: str) -> None:
    close_period(books, MARCH)
    says = (
        "closed period is never changed|never deleted|only appended to|only be appended to|"
        "UNIQUE constraint|duplicate key"
    )
    with pytest.raises(DatabaseError, match=says), books.begin() as connection:
        connection.execute(text(statement))
    assert _state(books) == ("closed", 1)


def test_nobody_acts_for_another_outside_a_demo() -> None:
    with pytest.raises(UsageError, match="is_demo"), act_as("x", is_demo=False):
        pass
    with pytest.raises(UsageError, match="1 to 120"), act_as("  ", is_demo=True):
        pass
