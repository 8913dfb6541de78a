"""Whatever is tried on a closed period is refused or changes nothing of it: its files keep their
bytes, readers see its figures, and `verify` passes.

That a reader's SQL cannot write is tried statement by statement; that the books refuse is in
tests/unit/close/test_period_states.py, for both databases.
"""

from __future__ import annotations

import contextlib
import io
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.books.person import act_as
from pipelines.cli.main import run
from pipelines.close.close_period import close_period
from pipelines.close.desk import open_desk
from pipelines.close.verify import verify
from pipelines.warehouse.reader import open_published
from pipelines.workspace.workspace import Workspace
from tests.closed_periods import APPROVER, PREPARER
from tests.crash.kills import hash_frozen

from .golden import Golden

PERIOD = "2026-01"
LEDGER = "general_ledger.csv"
NEW_LEDGER = "general_ledger_again.csv"
WHY = ("--why", "a test")


@pytest.fixture(scope="module")
def closed(small_company: Golden, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small company with January closed. Its ledger may come again, and is then held."""
    root = tmp_path_factory.mktemp("paths") / "company"
    shutil.copytree(small_company.workspace.root, root, ignore=shutil.ignore_patterns(".dbt"))
    config = root / "apportion.yml"
    text = config.read_text("utf-8")
    known = f"inbox: {LEDGER}, is_required: true"
    assert known in text
    text = text.replace(known, 'inbox: "general_ledger*.csv", redelivery: replace_period')
    config.write_text(f"{text}\nis_demo: true\n", "utf-8")
    with open_desk(Workspace.open(root)) as desk:
        with act_as(PREPARER, is_demo=True):
            desk.calculate(PERIOD)
        with act_as(APPROVER, is_demo=True):
            desk.review(PERIOD)
            for blocker in desk.list_blockers(PERIOD):
                desk.accept(PERIOD, blocker.blocker_id, "as it is in the golden company")
            desk.approve(PERIOD)
            close_period(desk, PERIOD)
    return root


@pytest.fixture
def company(closed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(closed, tmp_path / "company"))


def _read_figures(root: Path) -> list[Any]:
    with open_published(Workspace.open(root)) as marts:
        return marts.execute(
            "select * from fct_charges_monthly "
            f"where scenario_id = 'actual' and period_id = '{PERIOD}' order by all"
        ).fetchall()


def _run(root: Path, *arguments: str) -> int:
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        return run([*arguments, "--workspace", str(root)])


def _deliver(root: Path) -> int:
    """January's ledger again, with one amount that is another."""
    text = (root / "inbox" / LEDGER).read_text("utf-8")
    assert "1000.00" in text
    (root / "inbox" / NEW_LEDGER).write_text(text.replace("1000.00", "2000.00"), "utf-8")
    return _run(root, "land")


def _decide(root: Path, decision: str) -> int:
    assert _deliver(root) == 3
    return _run(root, "loads", decision, "general_ledger", NEW_LEDGER, *WHY)


def _build_of_a_changed_rule(root: Path) -> int:
    """What was labour becomes software, in every period."""
    path = root / "cost_model" / "pools.yml"
    text = path.read_text("utf-8")
    assert 'match: {account: ["6000"]}, pool: labour' in text
    path.write_text(text.replace('["6000"]}, pool: labour', '["6000"]}, pool: software'), "utf-8")
    return _run(root, "build")


def _period(step: str, *more: str) -> Callable[[Path], int]:
    return lambda root: _run(root, "period", step, PERIOD, *more, "--as", "Zoe")


def _sql(statement: str) -> Callable[[Path], int]:
    def ask(root: Path) -> int:
        frozen = root / "warehouse" / "closed" / f"{PERIOD}.v1" / f"{PERIOD}.v1.duckdb"
        return _run(root, "sql", statement.format(frozen=frozen))

    return ask


# What is tried -> how, and the exit codes that it may have. A delivery that may count is no change
# of the period: what it changes is posted elsewhere, or it counts for nothing.
PATHS: dict[str, tuple[Callable[[Path], int], set[int]]] = {
    "a delivery that takes the place of its ledger": (_deliver, {3}),
    "the release of it": (lambda root: _decide(root, "release"), {0, 4}),
    "the discarding of it": (lambda root: _decide(root, "discard"), {0}),
    "reading its ledger anew": (lambda root: _run(root, "land", "--reread", "general_ledger"), {0}),
    "a build of a changed rule": (_build_of_a_changed_rule, {0, 4}),
    "a calculation": (_period("calculate"), {4}),
    "a review": (_period("review"), {4}),
    "an approval": (_period("approve"), {4}),
    "an acceptance": (_period("accept", "order", *WHY), {2, 4}),
    "sending it back": (_period("send-back", *WHY), {4}),
    "confirming a reopening that nobody asked for": (_period("reopen"), {4}),
    "a second close": (lambda root: _run(root, "close", PERIOD), {4}),
    "its bills": (lambda root: _run(root, "bill", PERIOD), {0}),
    "its journal": (lambda root: _run(root, "journal", PERIOD), {0, 2}),
    "an update of what readers see": (
        _sql("update fct_charges_monthly set charged_amount = 0"),
        {2},
    ),
    "an insert into what readers see": (
        _sql("insert into fct_charges_monthly select * from fct_charges_monthly"),
        {2},
    ),
    "a delete from the attached file": (
        _sql("delete from run_1.marts.fct_charges_monthly"),
        {2},
    ),
    "dropping a table of the attached file": (
        _sql("drop table run_1.marts.fct_charges_monthly"),
        {2},
    ),
    "a new table in the attached file": (_sql("create table run_1.marts.more (x int)"), {2}),
    "attaching it to write": (_sql("attach '{frozen}' as other"), {2}),
    "a copy over it": (_sql("copy (select 1) to '{frozen}'"), {2}),
    "an export over it": (_sql("export database '{frozen}'"), {2}),
    "unlocking the reader": (_sql("set enable_external_access = true"), {2}),
    "a checkpoint of the attached file": (_sql("force checkpoint run_1"), {0, 2}),
}


@pytest.mark.parametrize("path", PATHS)
def test_path_into_a_closed_period_changes_nothing(company: Path, path: str) -> None:
    frozen, figures = hash_frozen(company), _read_figures(company)
    attempt, codes = PATHS[path]
    assert attempt(company) in codes
    assert hash_frozen(company) == frozen
    assert _read_figures(company) == figures
    with open_desk(Workspace.open(company)) as desk:
        assert verify(desk.workspace, desk.books, deep=True).problems == []


def test_frozen_files_are_for_reading_only(closed: Path) -> None:
    """A barrier for who errs, such as a build that is pointed at one of them."""
    files = [path for path in (closed / "warehouse" / "closed").rglob("*") if path.is_file()]
    assert len(files) > 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o444}
