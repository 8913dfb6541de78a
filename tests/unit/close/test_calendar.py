"""The close calendar: days counted by hand in a real spring with its holidays, tasks done by what
the books hold, ticks that are never rewritten."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from pipelines.books.audit import find_chain_breaks
from pipelines.books.books import BOOKS_URL_VARIABLE, Books
from pipelines.books.person import act_as
from pipelines.cli.main import run
from pipelines.close.calendar.due_tasks import DueTask, list_due_tasks
from pipelines.close.calendar.sent_statements import Attempt, judge_attempts
from pipelines.close.calendar.standard_tasks import list_tasks
from pipelines.close.calendar.ticks import list_ticks, tick_task
from pipelines.close.calendar.working_days import find_working_day
from pipelines.errors import ApportionError, ConfigurationError, ControlError, UsageError
from pipelines.workspace.workspace import Workspace
from tests.closed_periods import APPROVER, PREPARER, close_period, reopen_period
from tests.postgres_server import PostgresDatabase

# Good Friday and Easter Monday of 2026.
EASTER = {date(2026, 4, 3), date(2026, 4, 6)}
MARCH = "2026-03"

SOURCES = """\
name: Example
currency: EUR
time_zone: Europe/Berlin
calendar: {first_period: 2026-01, last_period: 2026-12}
control_total: {source: ledger}
sources:
  ledger: {contract: general_ledger, inbox: "ledger/*"}
  usage: {contract: service_usage, inbox: "usage/*"}
  bill: {contract: cloud_bill, inbox: "bill/*", due_days: 6}
  plan: {contract: service_usage, inbox: "plan/*", scenario: budget}
  accounts: {contract: chart_of_accounts, inbox: "accounts/*"}
"""
CALENDAR = """\
close:
  calendar:
    holidays: [2026-04-03, 2026-04-06]
    tasks:
      - {id: accruals, name: Book accruals, working_day: -1, owner: Accounting}
      - {id: ledger, name: Ledger, working_day: 3, owner: Accounting, done_when: feed ledger}
      - {id: sign, name: Approve, working_day: 5, owner: Control, done_when: step approve}
"""


def _open(root: Path, settings: str) -> Workspace:
    (root / "apportion.yml").write_text(settings, "utf-8")
    return Workspace.open(root)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return _open(tmp_path, SOURCES + CALENDAR)


@pytest.fixture(params=["sqlite", "postgresql"])
def books(
    request: pytest.FixtureRequest, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Books]:
    if request.param == "postgresql":
        database: PostgresDatabase = request.getfixturevalue("postgres_database")
        monkeypatch.setenv(BOOKS_URL_VARIABLE, database.address)
    else:
        monkeypatch.delenv(BOOKS_URL_VARIABLE, raising=False)
    made = Books.open(workspace)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("end", "number", "expected"),
    [
        (date(2026, 4, 1), 1, date(2026, 4, 1)),  # a Wednesday
        (date(2026, 4, 1), 2, date(2026, 4, 2)),
        (date(2026, 4, 1), 3, date(2026, 4, 7)),  # after Friday to Monday of Easter
        (date(2026, 4, 1), -1, date(2026, 3, 31)),
        (date(2026, 6, 1), -1, date(2026, 5, 29)),  # May ends on a Sunday
        (date(2026, 6, 1), -2, date(2026, 5, 28)),
        (date(2026, 8, 1), 1, date(2026, 8, 3)),  # August begins on a Saturday
    ],
)
def test_working_days_leave_out_weekends_and_holidays(
    end: date, number: int, expected: date
) -> None:
    assert find_working_day(end, number, EASTER) == expected


def _look(books: Books, workspace: Workspace, today: date) -> dict[str, DueTask]:
    with books.read() as connection:
        rows = list_due_tasks(connection, workspace.config, MARCH, today)
    return {row.task_id: row for row in rows}


def test_tasks_are_late_after_their_day_and_not_on_it(books: Books, workspace: Workspace) -> None:
    found = {
        day: [(row.state, row.days_late) for row in _look(books, workspace, day).values()]
        for day in (date(2026, 3, 31), date(2026, 4, 7), date(2026, 4, 9))
    }
    assert found == {
        date(2026, 3, 31): [("due", 0), ("upcoming", 0), ("upcoming", 0)],
        date(2026, 4, 7): [("late", 7), ("due", 0), ("upcoming", 0)],
        date(2026, 4, 9): [("late", 9), ("late", 2), ("due", 0)],
    }


LOAD = (
    "insert into loads (source_id, contract_id, scenario_id, mapping_id, file_name, sha256, bytes, "
    "records_delivered, records_accepted, records_quarantined, amounts, notes, landed_at, "
    "landed_by, hold_kind) values ('{source}', 'general_ledger', 'actual', 'canonical', 'a.csv', "
    "'{sha}', 1, 1, 1, 0, '{{}}', '[]', '{at}', 'lena', {hold})"
)


def _land(books: Books, sha: str, at: str, *, source: str = "ledger", hold: str = "null") -> None:
    with books.begin() as connection:
        connection.execute(text(LOAD.format(source=source, sha=sha, at=at, hold=hold)))
        connection.execute(
            text(
                "insert into load_periods (load_id, period_id) "
                "select load_id, :period from loads where sha256 = :sha"
            ),
            {"period": MARCH, "sha": sha},
        )


def test_a_feed_is_done_by_the_first_delivery_that_counts(
    books: Books, workspace: Workspace
) -> None:
    _land(books, "a", "2026-04-02T08:00:00+00:00", hold="'deviation'")
    assert _look(books, workspace, date(2026, 4, 7))["ledger"].state == "due"
    # 22:30 of the 8th in UTC is the 9th in Berlin: two days after the 7th.
    _land(books, "b", "2026-04-08T22:30:00+00:00")
    _land(books, "c", "2026-04-20T08:00:00+00:00")
    row = _look(books, workspace, date(2026, 5, 1))["ledger"]
    assert (row.state, row.days_late) == ("done", 2)
    assert row.done is not None
    assert (row.done.person_name, row.done.at) == ("lena", "2026-04-08T22:30:00+00:00")
    assert _look(books, workspace, date(2026, 4, 8))["ledger"].state == "late"


def test_a_step_is_done_by_whoever_signed_the_newest_version(
    books: Books, workspace: Workspace
) -> None:
    close_period(books, MARCH)
    row = _look(books, workspace, date(2100, 1, 1))["sign"]
    assert row.done is not None
    assert (row.state, row.done.person_name) == ("done", APPROVER)
    reopen_period(books, MARCH)
    assert _look(books, workspace, date(2100, 1, 1))["sign"].state == "late"


def test_a_tick_is_taken_back_by_another_and_both_stay(books: Books, workspace: Workspace) -> None:
    config, later = workspace.config, date(2100, 1, 1)
    with act_as(PREPARER, is_demo=True):
        tick_task(books, config, MARCH, "accruals")
    assert _look(books, workspace, later)["accruals"].state == "done"
    with pytest.raises(ControlError, match=f"ticked by {PREPARER}"):
        tick_task(books, config, MARCH, "accruals")
    with pytest.raises(UsageError, match="--undo expects --why"):
        tick_task(books, config, MARCH, "accruals", is_done=False, why="  ")
    with act_as(APPROVER, is_demo=True):
        tick_task(books, config, MARCH, "accruals", is_done=False, why="one was forgotten")
    assert _look(books, workspace, later)["accruals"].state == "late"
    with pytest.raises(ControlError, match="is not ticked"):
        tick_task(books, config, MARCH, "accruals", is_done=False, why="again")
    with books.read() as connection:
        rows = connection.execute(
            text("select is_done, person_name, why from calendar_ticks order by tick_id")
        ).all()
        actions = connection.execute(text("select action from audit_log order by sequence"))
        assert [row.action for row in actions] == ["tick task", "take tick back"]
        assert find_chain_breaks(connection) == []
    assert [(bool(row.is_done), row.person_name, row.why) for row in rows] == [
        (True, PREPARER, None),
        (False, APPROVER, "one was forgotten"),
    ]


def test_a_tick_belongs_to_the_version_that_was_open(books: Books, workspace: Workspace) -> None:
    tick_task(books, workspace.config, MARCH, "accruals")
    close_period(books, MARCH)
    reopen_period(books, MARCH)
    assert _look(books, workspace, date(2100, 1, 1))["accruals"].state == "late"
    with books.read() as connection:
        assert list(list_ticks(connection, MARCH, 1)) == ["accruals"]


@pytest.mark.parametrize(
    ("task", "period", "message"),
    [
        ("sign", MARCH, "nobody ticks it by hand"),
        ("other", MARCH, "ticked by hand are: accruals"),
        ("accruals", "2027-01", "2026-01 to 2026-12"),
    ],
)
def test_only_manual_tasks_of_the_calendar_are_ticked(
    books: Books, workspace: Workspace, task: str, period: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        tick_task(books, workspace.config, period, task)


@pytest.mark.parametrize(
    "statement",
    [
        "update calendar_ticks set person_name = 'somebody else'",
        "delete from calendar_ticks",
        "insert into calendar_ticks (period_id, version, task_id, is_done, person_name, ticked_at) "
        "values ('2026-03', 1, 'accruals', false, 'nobody', 'now')",
        "insert into calendar_ticks (period_id, version, task_id, is_done, person_name, ticked_at) "
        "values ('2026-03', 1, 'accruals', true, ' ', 'now')",
    ],
)
def test_the_database_refuses_a_tick_that_is_rewritten_or_without_a_reason(
    books: Books, workspace: Workspace, statement: str
) -> None:
    tick_task(books, workspace.config, MARCH, "accruals")
    with pytest.raises((DBAPIError, ApportionError)), books.begin() as connection:
        connection.execute(text(statement))
    with books.read() as connection:
        assert connection.execute(text("select count(*) from calendar_ticks")).scalar() == 1


def test_without_a_calendar_feeds_and_steps_are_the_tasks(tmp_path: Path) -> None:
    """Budgets and masters have no period that could be late."""
    workspace = _open(tmp_path, SOURCES + "close: {calendar: {holidays: [2026-04-03, 2026-04-06]}}")
    books = Books.open(workspace)
    with books.read() as connection:
        rows = list_due_tasks(connection, workspace.config, MARCH, date(2026, 4, 7))
    books.close()
    assert [(row.task_id, row.due_date) for row in rows] == [
        ("feed-ledger", date(2026, 4, 7)),
        ("feed-bill", date(2026, 4, 7)),  # by its due_days: April 1 and 6 days
        ("feed-usage", date(2026, 4, 8)),
        ("calculate", date(2026, 4, 9)),
        ("review", date(2026, 4, 10)),
        ("approve", date(2026, 4, 14)),
        ("close", date(2026, 4, 15)),
        ("send", date(2026, 4, 16)),
    ]
    assert {task.id for task in list_tasks(workspace.config)} == {row.task_id for row in rows}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("working_day: 0, owner: x", "there is no day 0"),
        ("working_day: 1, owner: x, done_when: feed legder", "unknown source 'legder'"),
        ("working_day: 1, owner: x, done_when: feed", "done_when"),
        ("working_day: 1, owner: x}, {id: a, name: b, working_day: 2, owner: x", "there twice"),
    ],
)
def test_a_wrong_calendar_is_named_with_its_place(tmp_path: Path, wrong: str, message: str) -> None:
    settings = f"{SOURCES}close:\n  calendar:\n    tasks: [{{id: a, name: b, {wrong}}}]\n"
    with pytest.raises(ConfigurationError, match=message):
        _ = _open(tmp_path, settings).config


def _attempt(unit: str, state: str, at: str | None = None, address: str = "a@b") -> Attempt:
    return Attempt(unit, address, state, "sender", at)


def test_statements_are_sent_when_the_last_attempt_of_each_was() -> None:
    assert judge_attempts([]) is None
    failed = [_attempt("FIN", "sent", "2026-04-09"), _attempt("LOG", "failed", "2026-04-10")]
    assert judge_attempts(failed) is None
    assert judge_attempts([*failed, _attempt("LOG", "sent", "2026-04-11")]) == (
        "sender",
        "2026-04-11",
    )
    assert judge_attempts([*failed, _attempt("LOG", "sending")]) is None


def test_commands_show_and_tick_the_calendar(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(BOOKS_URL_VARIABLE, raising=False)
    place = ["--workspace", str(workspace.root)]
    assert run(["period", "tick", MARCH, "accruals", *place]) == 0
    assert run(["period", "calendar", MARCH, "--today", "2026-04-09", *place]) == 0
    shown = capsys.readouterr().out
    # The tick is of today, which is after the ninth of April 2026.
    assert "2026-03: 0 of 3 tasks done, 2 late, 1 due today" in shown
    assert "LATE by 9 days" in shown
    assert run(["period", "calendar", MARCH, "--json", *place]) == 0
    rows = {row["task_id"]: row for row in json.loads(capsys.readouterr().out)}
    assert (rows["accruals"]["state"], rows["accruals"]["due_date"]) == ("done", "2026-03-31")
    assert run(["period", "tick", MARCH, "accruals", "--undo", *place]) == 2
    assert run(["period", "calendar", MARCH, "--today", "soon", *place]) == 2
    assert "--today expects a day such as 2026-04-09" in capsys.readouterr().err
