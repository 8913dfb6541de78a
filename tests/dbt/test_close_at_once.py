"""Two people at once, or a reader or a build beside a close, with real processes and on both kinds
of books: one wins, the other is told in words, and nothing is half done."""

from __future__ import annotations

import contextlib
import io
import time
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest
from sqlalchemy import create_engine, func, select, text

from pipelines.books.audit import find_chain_breaks
from pipelines.books.books import BOOKS_URL_VARIABLE, Books
from pipelines.books.person import act_as
from pipelines.books.tables import metadata
from pipelines.cli.main import run
from pipelines.close.desk import open_desk
from pipelines.close.period_states import list_steps, read_state
from pipelines.close.verify import verify
from pipelines.warehouse.build import lock_warehouse
from pipelines.warehouse.reader import open_published
from pipelines.workspace.workspace import Workspace
from tests.closed_periods import APPROVER, PREPARER
from tests.crash.processes import close_slowly, fork, run_command
from tests.postgres_server import PostgresDatabase
from tests.workspace_copies import copy_workspace

from .golden import Golden

PERIOD = "2026-01"
SECONDS = 60
CHARGES = "select period_id, sum(charged_amount) from fct_charges_monthly group by 1 order by 1"


@pytest.fixture(scope="module")
def reviewed(small_company: Golden, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small company as a demo, with January reviewed and nothing that blocks it."""
    root = copy_workspace(small_company.workspace.root, tmp_path_factory.mktemp("at-once") / "ws")
    with (root / "apportion.yml").open("a", encoding="utf-8") as file:
        file.write("\nis_demo: true\n")
    with open_desk(Workspace.open(root)) as desk:
        with act_as(PREPARER, is_demo=True):
            desk.calculate(PERIOD)
        with act_as(APPROVER, is_demo=True):
            desk.review(PERIOD)
            for blocker in desk.list_blockers(PERIOD):
                desk.accept(PERIOD, blocker.blocker_id, "as it is in the golden company")
    return root


@pytest.fixture(params=["sqlite", "postgresql"])
def company(
    request: pytest.FixtureRequest,
    reviewed: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A copy of it whose books are in SQLite, or in PostgreSQL."""
    root = copy_workspace(reviewed, tmp_path / "company")
    if request.param == "postgresql":
        database: PostgresDatabase = request.getfixturevalue("postgres_database")
        monkeypatch.setenv(BOOKS_URL_VARIABLE, database.address)
        _copy_books(root)
    return root


def _copy_books(root: Path) -> None:
    """The rows of the workspace's SQLite books into those that the environment names."""
    source = create_engine(f"sqlite:///{Workspace.open(root).books_path}")
    books = Books.open(Workspace.open(root))
    with source.connect() as old, books.begin() as new:
        # Without triggers: rows come as they are, and not by the steps that led there.
        new.execute(text("set local session_replication_role = replica"))
        for table in metadata.sorted_tables:
            rows = [dict(row) for row in old.execute(table.select()).mappings()]
            if rows:
                new.execute(table.insert(), rows)
            column = table.autoincrement_column
            if column is not None:
                last = new.execute(select(func.max(column))).scalar() or 0
                sequence = f"pg_get_serial_sequence('{table.name}', '{column.name}')"
                new.execute(text(f"select setval({sequence}, {last + 1})"))
    books.close()
    source.dispose()


def _run_here(*arguments: str | Path) -> tuple[int, str]:
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        code = run([str(argument) for argument in arguments])
    return code, output.getvalue()


def _run_two(root: Path, *arguments: str) -> list[tuple[int | None, str]]:
    """Exit code and output of one command that two people give at once, the winner's first."""
    outputs = [root / f"output-{number}.txt" for number in (1, 2)]
    processes = [
        fork(
            run_command,
            [*arguments, "--as", f"Approver {number}", "--workspace", str(root)],
            output,
        )
        for number, output in enumerate(outputs, start=1)
    ]
    for process in processes:
        process.join(SECONDS)
    found = [
        (process.exitcode, output.read_text("utf-8"))
        for process, output in zip(processes, outputs, strict=True)
    ]
    return sorted(found, key=lambda item: item[0] or 0)


def _approve(root: Path) -> None:
    assert _run_here("period", "approve", PERIOD, "--as", APPROVER, "-w", root)[0] == 0


def test_of_two_approvals_one_wins_and_the_other_is_told(company: Path) -> None:
    (won, _), (lost, told) = _run_two(company, "period", "approve", PERIOD)
    assert (won, lost) == (0, 4)
    assert "2026-01 is approved; to approve it, it must be reviewed first" in told
    with open_desk(Workspace.open(company)) as desk, desk.books.read() as connection:
        state = read_state(connection, PERIOD)
        signed = [
            s["person_name"] for s in list_steps(connection, PERIOD) if s["step"] == "approve"
        ]
        assert find_chain_breaks(connection) == []
    assert (state.state, signed) == ("approved", [state.approved_by])


def test_of_two_closes_one_wins_and_the_other_is_told(company: Path) -> None:
    _approve(company)
    (won, _), (lost, told) = _run_two(company, "close", PERIOD)
    assert (won, lost) == (0, 4)
    assert "another build or close" in told or "2026-01 is closed; only an approved" in told
    _assert_closed_once(company)


def test_reader_of_a_dashboard_finishes_on_what_it_had(company: Path) -> None:
    _approve(company)
    workspace = Workspace.open(company)
    states = "select period_state from dim_periods where period_id = '2026-01'"
    with open_published(workspace) as reader:
        before = reader.execute(CHARGES).fetchall()
        close = fork(run_command, ["close", PERIOD, "-w", str(company)], company / "output.txt")
        while close.is_alive():
            assert reader.execute(CHARGES).fetchall() == before
        assert close.exitcode == 0, (company / "output.txt").read_text("utf-8")
        assert reader.execute(CHARGES).fetchall() == before
        assert reader.execute(states).fetchall() == [("open",)]
    with open_published(workspace) as reader:
        assert reader.execute(CHARGES).fetchall() == before
        assert reader.execute(states).fetchall() == [("closed",)]


def test_build_beside_a_close_is_told(company: Path) -> None:
    _approve(company)
    close = fork(close_slowly, company, PERIOD, "Committing", APPROVER)
    _wait_for(company / "waiting", close)
    code, told = _run_here("build", "--force", "-w", company)
    assert (code, "another build or close" in told) == (4, True)
    (company / "go").touch()
    close.join(SECONDS)
    assert close.exitcode == 0
    _assert_closed_once(company)


def test_close_beside_a_build_is_told(company: Path) -> None:
    _approve(company)
    with lock_warehouse(Workspace.open(company)):  # As a build does, for as long as it runs.
        code, told = _run_here("close", PERIOD, "--as", APPROVER, "-w", company)
    assert (code, "another build or close" in told) == (4, True)
    assert _run_here("close", PERIOD, "--as", APPROVER, "-w", company)[0] == 0
    _assert_closed_once(company)


def test_period_that_is_sent_back_while_it_is_closed_is_not_closed(company: Path) -> None:
    _approve(company)
    close = fork(close_slowly, company, PERIOD, "Committing", APPROVER)
    _wait_for(company / "waiting", close)
    back = ("period", "send-back", PERIOD, "--why", "a test", "--as", PREPARER, "-w", company)
    assert _run_here(*back)[0] == 0
    (company / "go").touch()
    close.join(SECONDS)
    assert close.exitcode != 0
    with open_desk(Workspace.open(company)) as desk, desk.books.read() as connection:
        state = read_state(connection, PERIOD)
        assert (state.state, state.manifest_hash) == ("open", None)
        assert find_chain_breaks(connection) == []


def _wait_for(path: Path, process: ForkServerProcess) -> None:
    deadline = time.monotonic() + SECONDS
    while not path.exists():
        assert process.is_alive()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _assert_closed_once(root: Path) -> None:
    with open_desk(Workspace.open(root)) as desk:
        found = verify(desk.workspace, desk.books)
        assert (found.closes, found.problems) == (1, [])
        with desk.books.read() as connection:
            steps = [step["step"] for step in list_steps(connection, PERIOD)]
    assert steps.count("close") == 1
