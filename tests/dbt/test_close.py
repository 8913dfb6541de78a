"""Closing the small company's periods: what was approved is frozen, readers see that, and a change
of any byte, row or link of the chain is found."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sqlalchemy import text

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
    find_directory,
    list_closed_files,
    refuse_changed_history,
)
from pipelines.warehouse.publication import read_publication, write_publication
from pipelines.warehouse.publish import repair_publication
from pipelines.warehouse.reader import open_published
from pipelines.workspace.workspace import Workspace
from tests.closed_periods import APPROVER, PREPARER

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


# A place to cut the close off -> whether the period is closed then.
STEPS = {
    "Looking at what blocks": False,
    "Freezing": False,
    "Committing": False,
    "Publishing": True,
}
KILLED = """
import os, signal, sys
from pathlib import Path
from pipelines.books.books import Books
from pipelines.close.close_period import close_period
from pipelines.close.desk import CloseDesk
from pipelines.workspace.workspace import Workspace

workspace = Workspace.open(Path(sys.argv[1]))
desk = CloseDesk(workspace, Books.open(workspace))
close_period(
    desk, "2026-01",
    lambda step: os.kill(os.getpid(), signal.SIGKILL) if step == sys.argv[2] else None,
)
"""


@pytest.mark.parametrize("step", STEPS)
def test_killed_close_is_whole_or_not_at_all(approved: Path, tmp_path: Path, step: str) -> None:
    root = _copy(approved, tmp_path / "company")
    done = subprocess.run([sys.executable, "-c", KILLED, str(root), step], check=False)
    assert done.returncode == -signal.SIGKILL
    with _open(root) as desk:
        with desk.books.read() as connection:
            state = read_state(connection, PERIODS[0])
        assert state.approved_by == APPROVER
        assert (state.state == "closed") == STEPS[step]
        if state.state != "closed":
            close_period(desk, PERIODS[0])
        repair_publication(desk.workspace, desk.books)
        found = verify(desk.workspace, desk.books, deep=True)
        assert (found.closes, found.problems) == (1, [])
        published = [f.period_id for f in read_publication(desk.workspace).files]
    assert published == [None, PERIODS[0]]


def _frozen(desk: CloseDesk, period: str = PERIODS[0]) -> Path:
    return find_directory(desk.workspace, period, 1)


def _flip(path: Path, position: int = -1) -> None:
    content = bytearray(path.read_bytes())
    content[position if position >= 0 else len(content) // 2] ^= 1
    path.write_bytes(content)


def _swap(first: Path, second: Path) -> None:
    third = first.with_name("third")
    first.rename(third)
    second.rename(first)
    third.rename(second)


def _make_link(path: Path, target: Path) -> None:
    path.rename(target)
    path.symlink_to(target)


def _write_books(desk: CloseDesk, *statements: str) -> None:
    """Write to the books as one does who drops their triggers first."""
    with desk.books.begin() as connection:
        triggers = connection.execute(
            text("select name from sqlite_master where type = 'trigger'")
        ).scalars()
        for name in list(triggers):
            connection.execute(text(f"drop trigger {name}"))
        for statement in statements:
            connection.execute(text(statement))


def _change_manifest(desk: CloseDesk, *, and_books: bool) -> None:
    """Another charge in the manifest; with the hash of it in the books, too."""
    import hashlib

    path = _frozen(desk) / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    manifest["approved_by"] = "Somebody Else"
    path.write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", "utf-8")
    if and_books:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        _write_books(
            desk,
            f"update periods set manifest_hash = '{found}', approved_by = 'Somebody Else' "
            "where period_id = '2026-01'",
            f"update periods set previous_hash = '{found}' where period_id = '2026-02'",
        )


def _rewrite_database(desk: CloseDesk) -> None:
    """Another charge in the frozen database, with sizes and hashes made to fit everywhere."""
    import hashlib

    directory = _frozen(desk, PERIODS[1])
    database = directory / "2026-02.v1.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute("update marts.fct_charges_monthly set cost_amount = 1")
        connection.execute("checkpoint")
    manifest = json.loads((directory / "manifest.json").read_text("utf-8"))
    for file in manifest["files"]:
        if file["name"] == database.name:
            content = database.read_bytes()
            file["bytes"], file["sha256"] = len(content), hashlib.sha256(content).hexdigest()
    path = directory / "manifest.json"
    path.write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", "utf-8")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    _write_books(desk, f"update periods set manifest_hash = '{found}' where period_id = '2026-02'")


def _forget_in_pointer(desk: CloseDesk) -> None:
    publication = read_publication(desk.workspace)
    write_publication(desk.workspace, replace(publication, files=publication.files[:2]))


CHARGES = "parquet/marts.fct_charges_monthly.parquet"
LINES = "parquet/marts.fct_ledger_lines.parquet"
TAMPERING: dict[str, Callable[[CloseDesk], Any]] = {
    "a flipped bit of the database": lambda d: _flip(_frozen(d) / "2026-01.v1.duckdb"),
    "a flipped bit of its first block": lambda d: _flip(_frozen(d) / "2026-01.v1.duckdb", 9),
    "a flipped bit of a Parquet file": lambda d: _flip(_frozen(d) / CHARGES),
    "a flipped bit of the manifest": lambda d: _flip(_frozen(d) / "manifest.json"),
    "a database cut short": lambda d: (_frozen(d) / "2026-01.v1.duckdb").write_bytes(
        (_frozen(d) / "2026-01.v1.duckdb").read_bytes()[:-4096]
    ),
    "a Parquet file made longer": lambda d: (_frozen(d) / CHARGES).write_bytes(
        (_frozen(d) / CHARGES).read_bytes() + b"\0"
    ),
    "an empty Parquet file": lambda d: (_frozen(d) / LINES).write_bytes(b""),
    "a deleted Parquet file": lambda d: (_frozen(d) / LINES).unlink(),
    "a deleted database": lambda d: (_frozen(d) / "2026-01.v1.duckdb").unlink(),
    "a deleted manifest": lambda d: (_frozen(d) / "manifest.json").unlink(),
    "a deleted close": lambda d: shutil.rmtree(_frozen(d)),
    "two Parquet files swapped": lambda d: _swap(_frozen(d) / CHARGES, _frozen(d) / LINES),
    "two closes swapped": lambda d: _swap(_frozen(d), _frozen(d, PERIODS[1])),
    "a file put beside": lambda d: (_frozen(d) / "parquet" / "more.parquet").write_bytes(b"x"),
    "a close put beside": lambda d: shutil.copytree(_frozen(d), _frozen(d).with_name("2026-03.v1")),
    "a file that is a link": lambda d: _make_link(
        _frozen(d) / CHARGES, d.workspace.root / "elsewhere"
    ),
    "a changed manifest": lambda d: _change_manifest(d, and_books=False),
    "a changed manifest with the books": lambda d: _change_manifest(d, and_books=True),
    "a changed database with manifest and books": _rewrite_database,
    "another approver in the books": lambda d: _write_books(
        d, "update periods set approved_by = 'Somebody' where period_id = '2026-01'"
    ),
    "a close deleted from the books": lambda d: _write_books(
        d, "delete from periods where period_id = '2026-01'"
    ),
    "a period opened in the books": lambda d: _write_books(
        d, "update periods set state = 'open' where period_id = '2026-02'"
    ),
    "two closes swapped in the books": lambda d: _write_books(
        d,
        "update periods set close_number = 3 where period_id = '2026-01'",
        "update periods set close_number = 1 where period_id = '2026-02'",
        "update periods set close_number = 2 where period_id = '2026-01'",
    ),
    "a changed record of the audit log": lambda d: _write_books(
        d, "update audit_log set person_name = 'x' where action = 'period close'"
    ),
    "a deleted record of the audit log": lambda d: _write_books(
        d, "delete from audit_log where action = 'period approve'"
    ),
    "a pointer that forgets a close": _forget_in_pointer,
}


@pytest.mark.parametrize("kind", TAMPERING)
def test_tampering_is_found(closed: Path, tmp_path: Path, kind: str) -> None:
    root = _copy(closed, tmp_path / "company")
    with _open(root) as desk:
        assert verify(desk.workspace, desk.books).problems == []
        TAMPERING[kind](desk)
        assert verify(desk.workspace, desk.books).problems != []


def test_other_figures_under_fitting_hashes_are_found_by_counting(
    closed: Path, tmp_path: Path
) -> None:
    """Only the sums of the manifest speak against a database whose hashes were made to fit."""
    root = _copy(closed, tmp_path / "company")
    with _open(root) as desk:
        _rewrite_database(desk)
        _write_books(desk, "delete from audit_log where action = 'period close'")
        found = verify(desk.workspace, desk.books, deep=True).problems
    assert "2026-02.v1: the table marts.fct_charges_monthly has other rows or sums than frozen" in (
        found
    )
