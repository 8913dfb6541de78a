"""Kill a step of the close at a chosen moment, look at what it left, and run it again.

What is expected after a kill, whatever the moment:

- the books are as before the step or as after it, with a whole audit log; where the step had
  printed that it is done, they are as after it;
- the pointer names no close that the books do not know, readers see the figures that they saw
  before, and the files of earlier closes have the bytes that they had;
- `verify` finds nothing but what a crash may leave: files of the close that was cut off, or a
  pointer that does not name it yet;
- the next run of the step brings the books to where it leads, nothing is left over, and `verify`
  passes.

The books after the step are those of a run that nobody killed, compared without times.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from pipelines.books.audit import find_chain_breaks
from pipelines.books.books import Books
from pipelines.cli.main import run
from pipelines.close.close_period import CLOSING_NAME
from pipelines.close.verify import verify
from pipelines.errors import EXIT_DONE, EXIT_REFUSED
from pipelines.warehouse.closed_periods import CLOSED_NAME
from pipelines.warehouse.publication import read_publication
from pipelines.warehouse.reader import open_published
from pipelines.workspace.workspace import Workspace
from tests.closed_periods import APPROVER, PREPARER
from tests.workspace_copies import OUTPUT_NAME, copy_workspace

from .processes import fork, run_command

LEFT_BY_A_CRASH = ("and no close names it", "CURRENT names other closed files")
# Longer than the measured run, so that the last moments are hit, too.
SPAN = 1.1

State = dict[str, Any]
"""What the books say of periods, without times."""


@dataclass(frozen=True)
class Step:
    """A command, and the workspace in the state in which it is given."""

    name: str
    arguments: tuple[str, ...]
    person: str
    root: Path
    code_again: int
    """Exit code of a second run, after one that got through."""

    def make_arguments(self, root: Path) -> list[str]:
        return [*self.arguments, "--as", self.person, "--workspace", str(root)]


@dataclass(frozen=True)
class Expected:
    """A step that nobody killed: how long it took, and the books before and after it."""

    step: Step
    seconds: float
    before: State
    after: State
    figures: list[Any]
    """What readers see, before and after: no step of a close changes a figure."""
    frozen: dict[str, str]
    """SHA-256 of every file of the closes before."""


@dataclass(frozen=True)
class Outcome:
    """What a kill did."""

    step: str
    is_killed: bool
    """False where the step was done before its moment came."""
    is_committed: bool
    is_left_over: bool
    """Whether the next run had something to sweep away or to repair."""


def prepare_steps(sample: Path, directory: Path) -> list[Expected]:
    """Take a copy of a built sample company through the close of its second period after the
    first one was closed, and keep the workspace before each step."""
    first, second = "2024-11", "2024-12"
    root = copy_workspace(sample, directory / "0")
    for step in ("calculate", "review", "approve", "close"):
        person = PREPARER if step == "calculate" else APPROVER
        command = [step, first] if step == "close" else ["period", step, first]
        assert run([*command, "--as", person, "--workspace", str(root)]) == EXIT_DONE, step
    why = ("--why", "a test")
    # A blocker of another period: it can be accepted, whatever becomes of it.
    accept = ("period", "accept", "2026-10", "unmapped_account", *why)
    # The last number is the exit code of a second run, after one that got through.
    given = (
        ("calculate", PREPARER, ("period", "calculate", second), EXIT_DONE),
        ("review", APPROVER, ("period", "review", second), EXIT_REFUSED),
        ("accept", APPROVER, accept, EXIT_DONE),
        ("approve", APPROVER, ("period", "approve", second), EXIT_REFUSED),
        ("close", APPROVER, ("close", second), EXIT_REFUSED),
        ("ask for a reopening", PREPARER, ("period", "reopen", second, *why), EXIT_DONE),
        ("reopen", APPROVER, ("period", "reopen", second), EXIT_REFUSED),
    )
    measured = []
    for number, (name, person, arguments, code_again) in enumerate(given, start=1):
        after = copy_workspace(root, directory / str(number))
        measured.append(_measure(Step(name, arguments, person, root, code_again), after))
        root = after
    return measured


def _measure(step: Step, after: Path) -> Expected:
    """Run the step without a kill, on a copy of its workspace."""
    start = time.monotonic()
    process = fork(run_command, step.make_arguments(after), after / OUTPUT_NAME)
    process.join()
    seconds = time.monotonic() - start
    assert process.exitcode == EXIT_DONE, (after / OUTPUT_NAME).read_text("utf-8")
    books, figures = (read_books(step.root), read_books(after)), read_figures(step.root)
    assert books[0] != books[1]
    assert read_figures(after) == figures
    return Expected(step, seconds, *books, figures, hash_frozen(step.root))


def kill_after(expected: Expected, seconds: float, directory: Path) -> Outcome:
    """Kill the step so many seconds after its start, and judge. Raises AssertionError."""

    def start(root: Path) -> ForkServerProcess:
        arguments = expected.step.make_arguments(root)
        process = fork(run_command, arguments, root / OUTPUT_NAME)
        process.join(seconds)
        if process.is_alive() and process.pid is not None:
            os.kill(process.pid, signal.SIGKILL)
        return process

    return judge_kill(expected, start, directory)


def judge_kill(
    expected: Expected, start: Callable[[Path], ForkServerProcess], directory: Path
) -> Outcome:
    """Run a process that is killed on a copy of the step's workspace, and judge what it left."""
    step = expected.step
    root = copy_workspace(step.root, directory / "killed")
    process = start(root)
    process.join()
    is_killed = process.exitcode == -signal.SIGKILL
    output = root / OUTPUT_NAME
    printed = output.read_text("utf-8") if output.exists() else ""
    assert is_killed or process.exitcode == EXIT_DONE, printed
    left = read_books(root)
    assert left in (expected.before, expected.after), f"half a step in the books: {left}"
    is_committed = left == expected.after
    assert is_committed or not printed.strip(), f"acknowledged and lost: {printed}"
    _look_at_files(expected, root)
    problems = list_problems(root)
    strange = [text for text in problems if not any(known in text for known in LEFT_BY_A_CRASH)]
    assert strange == []
    is_left_over = bool(problems) or (root / "warehouse" / CLOSING_NAME).exists()

    code = run(step.make_arguments(root))
    assert code == (step.code_again if is_committed else EXIT_DONE)
    if not is_committed or code != EXIT_DONE:
        assert read_books(root) == expected.after
    _look_at_files(expected, root)
    assert list_problems(root) == []
    assert not (root / "warehouse" / CLOSING_NAME).exists()
    shutil.rmtree(root)
    return Outcome(step.name, is_killed, is_committed, is_left_over)


def _look_at_files(expected: Expected, root: Path) -> None:
    """Earlier closes are as they were, the pointer names closed periods only, readers read."""
    found = hash_frozen(root)
    assert {name: found.get(name) for name in expected.frozen} == expected.frozen
    closed = {(p[0], p[1]) for p in read_books(root)["periods"] if p[2] == "closed"}
    named = {
        (file.period_id, file.version)
        for file in read_publication(Workspace.open(root)).files
        if file.role == "closed"
    }
    assert named <= closed
    assert read_figures(root) == expected.figures


def read_books(root: Path) -> State:
    """Periods, steps, acceptances and audit log, without times and hashes that hold them."""
    from sqlalchemy import text

    queries = {
        "periods": "select period_id, version, state, content_hash, prepared_by, reviewed_by, "
        "approved_by, closed_by, close_number from periods order by 1, 2",
        "steps": "select period_id, version, step, content_hash, person_name, why "
        "from period_steps order by step_id",
        "acceptances": "select period_id, blocker_id, finding, person_name "
        "from accepted_blockers order by acceptance_id",
        "log": "select sequence, person_name, action, subject from audit_log order by sequence",
    }
    with _open_books(root) as books, books.read() as connection:
        assert find_chain_breaks(connection) == []
        return {
            name: [tuple(row) for row in connection.execute(text(query))]
            for name, query in queries.items()
        }


def read_figures(root: Path) -> list[Any]:
    """The sum of the charges of every period, as a reader sees it."""
    with open_published(Workspace.open(root)) as marts:
        return marts.execute(
            "select scenario_id, period_id, count(*), sum(cost_amount), sum(charged_amount) "
            "from fct_charges_monthly group by all order by all"
        ).fetchall()


def hash_frozen(root: Path) -> dict[str, str]:
    """SHA-256 of every file of the closes, by its place."""
    closed = root / "warehouse" / CLOSED_NAME
    return {
        str(path.relative_to(closed)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(closed.rglob("*"))
        if path.is_file()
    }


def list_problems(root: Path) -> list[str]:
    """What `verify` finds."""
    with _open_books(root) as books:
        return verify(Workspace.open(root), books).problems


@contextmanager
def _open_books(root: Path) -> Iterator[Books]:
    books = Books.open(Workspace.open(root))
    try:
        yield books
    finally:
        books.close()
