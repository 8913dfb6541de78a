"""Closing the small company's periods: what was approved is frozen, readers see that, and a change
of any byte, row or link of the chain is found."""

from __future__ import annotations

import itertools
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.books.books import Books
from pipelines.books.person import act_as
from pipelines.close.close_period import close_period
from pipelines.close.desk import CloseDesk
from pipelines.close.freeze import sum_table
from pipelines.close.period_states import ask_reopening, read_state, reopen
from pipelines.close.verify import verify
from pipelines.errors import ControlError
from pipelines.warehouse.build import collect
from pipelines.warehouse.closed_periods import (
    list_closed_files,
    refuse_changed_history,
)
from pipelines.warehouse.publication import read_publication
from pipelines.warehouse.publish import repair_publication
from pipelines.warehouse.reader import open_published
from pipelines.workspace.workspace import Workspace
from tests.closed_periods import APPROVER, PREPARER
from tests.crash.processes import close_until_operation, fork
from tests.tampering import TAMPERING, Closes, rewrite_database, tamper

from .golden import Golden

PERIODS = ("2026-01", "2026-02")


@contextmanager
def _open(root: Path) -> Iterator[CloseDesk]:
    workspace = Workspace.open(root)
    books = Books.open(workspace)
    yield CloseDesk(workspace, books)
    books.close()


def _approve(desk: CloseDesk, period: str) -> None:
    with act_as(PREPARER, is_demo=True):
        desk.calculate(period)
    with act_as(APPROVER, is_demo=True):
        desk.review(period)
        for blocker in desk.list_blockers(period):
            desk.accept(period, blocker.blocker_id, "as it is in the golden company")
        desk.approve(period)


def _sum_marts(desk: CloseDesk) -> dict[str, Any]:
    """Rows and sums of everything that readers see."""
    with open_published(desk.workspace) as connection:
        tables = connection.execute(
            "select schema_name || '.' || view_name from duckdb_views() where not internal"
        ).fetchall()
        return {name: sum_table(connection, name, name) for (name,) in sorted(tables)}


def _copy(source: Path, target: Path) -> Path:
    return Path(shutil.copytree(source, target, ignore=shutil.ignore_patterns(".dbt")))


@pytest.fixture(scope="module")
def approved(small_company: Golden, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small company with January approved."""
    root = _copy(small_company.workspace.root, tmp_path_factory.mktemp("approved") / "company")
    with _open(root) as desk:
        _approve(desk, PERIODS[0])
    return root


@pytest.fixture(scope="module")
def closed(approved: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small company with January and February closed."""
    root = _copy(approved, tmp_path_factory.mktemp("closed") / "company")
    with _open(root) as desk:
        close_period(desk, PERIODS[0])
        _approve(desk, PERIODS[1])
        close_period(desk, PERIODS[1])
    return root


def test_readers_see_after_a_close_what_they_saw_before(
    small_company: Golden, approved: Path, closed: Path
) -> None:
    with _open(approved) as before, _open(closed) as after:
        seen, sees = _sum_marts(before), _sum_marts(after)
    assert seen == sees
    _, charges = small_company.read_expected("charges")
    assert seen["main.fct_charges_monthly"].rows == len(charges)


def test_closed_rows_come_from_the_frozen_file_whatever_is_built(
    closed: Path, tmp_path: Path
) -> None:
    root = _copy(closed, tmp_path / "company")
    with _open(root) as desk:
        before = _sum_marts(desk)["main.fct_charges_monthly"]
        (opened,) = [f for f in read_publication(desk.workspace).files if f.role == "open"]
        database = desk.workspace.warehouse / opened.name
        with duckdb.connect(str(database)) as connection:
            connection.execute(
                "update marts.fct_charges_monthly set cost_amount = cost_amount + 1000000 "
                "where scenario_id = 'actual' and period_id in ('2026-01', '2026-02')"
            )
        assert _sum_marts(desk)["main.fct_charges_monthly"] == before
        with pytest.raises(ControlError, match="closed periods would change") as refused:
            refuse_changed_history(desk.workspace, desk.books, database)
    assert "2026-01: 10 charges" in str(refused.value)
    assert "2026-02: 1 charges" in str(refused.value)


def test_states_and_states_of_marts_agree(closed: Path) -> None:
    with _open(closed) as desk, open_published(desk.workspace) as marts:
        rows = marts.execute("select period_id, period_state from dim_periods order by 1")
        assert rows.fetchall() == [
            ("2026-01", "closed"),
            ("2026-02", "closed"),
            ("2026-03", "open"),
        ]


def test_only_what_was_approved_is_closed(approved: Path, tmp_path: Path) -> None:
    root = _copy(approved, tmp_path / "company")
    with _open(root) as desk:
        with pytest.raises(ControlError, match="2026-02 is open; only an approved period"):
            close_period(desk, PERIODS[1])
        (opened,) = read_publication(desk.workspace).files
        with duckdb.connect(str(desk.workspace.warehouse / opened.name)) as connection:
            connection.execute(
                "update marts.fct_charges_monthly set cost_amount = cost_amount + 0.01 "
                "where scenario_id = 'actual' and period_id = '2026-01' and service_id = 'erp'"
            )
        with pytest.raises(ControlError, match="are not those that Petra Preparer calculated"):
            close_period(desk, PERIODS[0])
        assert not (desk.workspace.warehouse / "closed").exists()


def test_closed_period_is_reopened_as_the_next_version_and_stays_what_it_was(
    closed: Path, tmp_path: Path
) -> None:
    root = _copy(closed, tmp_path / "company")
    with _open(root) as desk:
        fingerprint = collect(desk.workspace, desk.books).stamp.fingerprint
        with act_as(PREPARER, is_demo=True):
            ask_reopening(desk.books, PERIODS[1], "a forgotten invoice")
        with act_as(APPROVER, is_demo=True):
            reopen(desk.books, PERIODS[1])
        given = collect(desk.workspace, desk.books)
        # The period is built again, as version 2, and readers see the open one until it is closed.
        assert given.reopened == {PERIODS[1]: 2}
        assert given.stamp.fingerprint != fingerprint
        assert [f.period_id for f in list_closed_files(desk.workspace, desk.books)] == [PERIODS[0]]
        repair_publication(desk.workspace, desk.books)
        found = verify(desk.workspace, desk.books, deep=True)
    assert (found.closes, found.problems) == (2, [])


def test_close_killed_before_any_change_of_a_file_or_the_books(
    approved: Path, tmp_path: Path
) -> None:
    """The sample company is killed at the steps that the close names, tests/e2e has that; here it
    is killed before each time that it changes a file or the books, from the first to the last."""
    states = []
    for number in itertools.count(1):
        root = _copy(approved, tmp_path / str(number))
        process = fork(close_until_operation, root, PERIODS[0], number)
        process.join()
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
        with _open(root) as desk:
            states.append(_finish_close(desk))
    # Files are frozen and renamed, the books commit, the pointer is replaced: in that order.
    assert states == sorted(states, key="approved closed".index)
    assert len(states) > 10
    assert set(states) == {"approved", "closed"}


def _finish_close(desk: CloseDesk) -> str:
    """Bring the close to its end, and see that it is whole; the state that the kill left."""
    with desk.books.read() as connection:
        state = read_state(connection, PERIODS[0])
    assert state.approved_by == APPROVER
    if state.state != "closed":
        close_period(desk, PERIODS[0])
    repair_publication(desk.workspace, desk.books)
    found = verify(desk.workspace, desk.books, deep=True)
    assert (found.closes, found.problems) == (1, [])
    published = [f.period_id for f in read_publication(desk.workspace).files]
    assert published == [None, PERIODS[0]]
    return state.state


@pytest.mark.parametrize("kind", TAMPERING)
def test_tampering_is_found(closed: Path, tmp_path: Path, kind: str) -> None:
    root = _copy(closed, tmp_path / "company")
    with _open(root) as desk:
        assert verify(desk.workspace, desk.books).problems == []
        tamper(Closes(desk, *PERIODS), kind)
        assert verify(desk.workspace, desk.books).problems != []


def test_other_figures_under_fitting_hashes_are_found_by_counting(
    closed: Path, tmp_path: Path
) -> None:
    """Only the sums of the manifest speak against a database whose hashes were made to fit."""
    root = _copy(closed, tmp_path / "company")
    with _open(root) as desk:
        closes = Closes(desk, *PERIODS)
        tamper(closes, "a changed database with manifest and books")
        closes.write_books("delete from audit_log where action = 'period close'")
        found = verify(desk.workspace, desk.books, deep=True).problems
    assert "2026-02.v1: the table marts.fct_charges_monthly has other rows or sums than frozen" in (
        found
    )


def test_another_consumer_under_fitting_hashes_and_sums_is_found(
    closed: Path, tmp_path: Path
) -> None:
    """No row count and no sum speaks against it: only what was signed does."""
    root = _copy(closed, tmp_path / "company")
    with _open(root) as desk:
        closes = Closes(desk, *PERIODS)
        for path in closes.find(period=closes.second).rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
        rewrite_database(closes, "update marts.fct_charges_monthly set cost_centre_id = 'another'")
        closes.write_books("delete from audit_log where action = 'period close'")
        found = verify(desk.workspace, desk.books, deep=True).problems
    assert "2026-02.v1: the frozen figures are not those that were signed" in found
    assert not any("other rows or sums" in problem for problem in found)
