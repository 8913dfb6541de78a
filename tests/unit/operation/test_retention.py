"""Old publications and leftovers are listed, then removed and written down; what the books, a
signature or a close name stays."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from pipelines.books.books import BOOKS_URL_VARIABLE, Books
from pipelines.books.person import act_as
from pipelines.cli.main import run
from pipelines.close.period_states import Figures, calculate
from pipelines.errors import ControlError
from pipelines.operation.retention import clean
from pipelines.warehouse.build import lock_warehouse
from pipelines.warehouse.old_publications import find_old_publications
from pipelines.warehouse.publication import (
    Publication,
    PublishedFile,
    read_publication,
    write_publication,
)
from pipelines.workspace.workspace import Workspace
from tests.closed_periods import PREPARER, close_period

CONFIG = """\
name: Example
currency: EUR
calendar: {first_period: 2026-01, last_period: 2026-12}
control_total: {source: ledger}
sources: {ledger: {contract: general_ledger, inbox: "ledger/*"}}
retention: {publications: 2, evidence_days: 90, bills_days: 60}
"""
NOW = datetime(2026, 7, 1, tzinfo=UTC)
OLD, RECENT = datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 6, 20, tzinfo=UTC)
LATEST = "5"


def _write(path: Path, when: datetime = RECENT) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("content", "utf-8")
    os.utime(path, (when.timestamp(), when.timestamp()))


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Five publications with their evidence, the last of them in force."""
    monkeypatch.delenv(BOOKS_URL_VARIABLE, raising=False)
    (tmp_path / "apportion.yml").write_text(CONFIG, "utf-8")
    found = Workspace.open(tmp_path)
    for run_id in map(str, range(1, 6)):
        _write(found.warehouse / f"run-{run_id}.duckdb")
        _write(found.warehouse / f"run-{run_id}.json")
        _write(found.evidence / run_id / "checks.json")
    file = PublishedFile(f"run-{LATEST}.duckdb", "open", "", 7)
    write_publication(found, Publication(LATEST, "", "", (file,)))
    return found


@pytest.fixture
def books(workspace: Workspace) -> Iterator[Books]:
    opened = Books.open(workspace)
    with opened.begin() as connection:
        for number in range(1, 6):
            connection.execute(
                text(
                    "insert into runs (run_id, fingerprint, state, started_at, finished_at, "
                    "person_name, steps) values (:run, '', 'published', :at, :at, '', '[]')"
                ),
                {"run": str(number), "at": (OLD if number < 4 else RECENT).isoformat()},
            )
    yield opened
    opened.close()


def _list_all(workspace: Workspace) -> set[str]:
    return {
        path.relative_to(workspace.root).as_posix()
        for path in workspace.root.rglob("*")
        if path.is_file() and "books" not in path.name and path.name != ".lock"
    }


def _clean(workspace: Workspace, books: Books, *, is_removing: bool = True) -> set[str]:
    before = _list_all(workspace)
    done = clean(workspace, books, is_removing=is_removing, now=NOW)
    assert done.failures == []
    return before - _list_all(workspace)


def test_the_newest_publications_stay(workspace: Workspace, books: Books) -> None:
    listed = clean(workspace, books, is_removing=False, now=NOW)
    assert [item.path.name for item in listed.removable] == [
        *("run-1.duckdb", "run-1.json", "run-2.duckdb", "run-2.json"),
        *("run-3.duckdb", "run-3.json"),
    ]
    assert listed.bytes == 6 * len("content")
    assert _clean(workspace, books, is_removing=False) == set()
    removed = _clean(workspace, books)
    assert removed == {
        f"warehouse/run-{number}.{ending}" for number in "123" for ending in ("duckdb", "json")
    }
    # Once their publications are gone, their evidence is old enough to go as well.
    assert _clean(workspace, books) == {f"evidence/{number}/checks.json" for number in "123"}
    assert _clean(workspace, books) == set()


def test_what_was_removed_stands_in_the_audit_log(workspace: Workspace, books: Books) -> None:
    _clean(workspace, books)
    with books.read() as connection:
        rows = connection.execute(
            text("select subject, details from audit_log where action = 'gc'")
        ).all()
    ((subject, details),) = rows
    assert subject == "6 removed"
    first = json.loads(details)["removed"][0]
    assert first == {
        "path": "warehouse/run-1.duckdb",
        "bytes": 7,
        "why": "not among the newest 2 publications",
    }


def test_what_somebody_signed_stays(workspace: Workspace, books: Books) -> None:
    with act_as(PREPARER, is_demo=True):
        calculate(books, "2026-05", Figures("2", "0" * 64))
    removed = _clean(workspace, books) | _clean(workspace, books)
    assert not {name for name in removed if "run-2" in name or "evidence/2" in name}
    assert "warehouse/run-1.duckdb" in removed


def test_what_is_published_stays_even_if_it_is_old(workspace: Workspace, books: Books) -> None:
    """A publication that was put back by hand is older than others, and in force."""
    content = json.loads((workspace.warehouse / "CURRENT").read_text("utf-8"))
    content["run_id"] = "1"
    content["files"][0]["name"] = "run-1.duckdb"
    (workspace.warehouse / "CURRENT").write_text(json.dumps(content), "utf-8")
    old = find_old_publications(workspace, books, read_publication(workspace))
    assert [path.name for path in old] == ["run-2.duckdb", "run-3.duckdb"]
    removed = _clean(workspace, books)
    assert {name for name in removed if name.endswith("duckdb")} == {
        "warehouse/run-2.duckdb",
        "warehouse/run-3.duckdb",
    }


def test_evidence_of_a_closed_period_stays(workspace: Workspace, books: Books) -> None:
    """Its publication went long ago; what it rests on did not."""
    _write(workspace.evidence / "run" / "checks.json", OLD)
    with books.begin() as connection:
        connection.execute(
            text(
                "insert into runs (run_id, fingerprint, state, started_at, person_name, steps) "
                "values ('run', '', 'published', :at, '', '[]')"
            ),
            {"at": OLD.isoformat()},
        )
    close_period(books, "2026-01")
    removed = _clean(workspace, books) | _clean(workspace, books)
    assert "evidence/1/checks.json" in removed
    assert "evidence/run/checks.json" not in removed


def test_leftovers_go_and_closed_periods_stay(workspace: Workspace, books: Books) -> None:
    _write(workspace.warehouse / ".building" / "run-6.duckdb")
    _write(workspace.warehouse / ".closing" / "manifest.json")
    _write(workspace.warehouse / ".CURRENT.17.tmp", OLD)
    _write(workspace.warehouse / "run-9.duckdb")
    _write(workspace.warehouse / "run-5.duckdb.wal")
    _write(workspace.warehouse / "closed" / "2025-12.v1" / "2025-12.v1.duckdb", OLD)
    _write(workspace.lake / "ledger" / "abc" / "original", OLD)
    removed = _clean(workspace, books)
    assert {
        "warehouse/.building/run-6.duckdb",
        "warehouse/.closing/manifest.json",
        "warehouse/.CURRENT.17.tmp",
        "warehouse/run-9.duckdb",
    } <= removed
    left = _list_all(workspace)
    assert "warehouse/closed/2025-12.v1/2025-12.v1.duckdb" in left
    assert "lake/ledger/abc/original" in left
    assert {"warehouse/run-5.duckdb", "warehouse/CURRENT"} <= left


def test_only_old_statements_of_open_periods_that_nobody_got_go(
    workspace: Workspace, books: Books
) -> None:
    for period, when in (
        *(("2026-01", OLD), ("2026-02", OLD), ("2026-03", OLD), ("2026-04", RECENT)),
        ("notes", OLD),
    ):
        _write(workspace.bills / period / f"{period}_RETAIL.pdf", when)
    close_period(books, "2026-01")
    with books.begin() as connection:
        connection.execute(
            text(
                "insert into dispatches (period_id, version, is_preview, business_unit_id, "
                "channel, address, attempt, files, sha256, state, person_name, started_at) values "
                "('2026-02', 1, true, 'RETAIL', 'mail', 'a@b.example', 1, '{}', '', 'sending', "
                "'', '')"
            )
        )
    removed = {name for name in _clean(workspace, books) if name.startswith("bills/")}
    assert removed == {"bills/2026-03/2026-03_RETAIL.pdf"}


def test_nothing_goes_under_the_books_of_another_workspace(
    workspace: Workspace, books: Books, tmp_path: Path
) -> None:
    other = Books.connect(f"sqlite:///{tmp_path / 'other_books.sqlite'}")
    other.migrate()
    before = _list_all(workspace)
    with pytest.raises(ControlError, match="not the books of this workspace"):
        clean(workspace, other, is_removing=True, now=NOW)
    other.close()
    assert _list_all(workspace) == before


def test_nothing_goes_while_a_build_runs(workspace: Workspace, books: Books) -> None:
    with lock_warehouse(workspace), pytest.raises(ControlError, match="another build"):
        clean(workspace, books, is_removing=True, now=NOW)


def test_command_removes_only_when_it_is_told_to(
    workspace: Workspace, books: Books, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["gc", "--workspace", str(workspace.root)]) == 0
    assert "could be removed: 'apportion gc --yes'" in capsys.readouterr().out
    assert (workspace.warehouse / "run-1.duckdb").exists()
    assert run(["gc", "--yes", "--workspace", str(workspace.root)]) == 0
    assert not (workspace.warehouse / "run-1.duckdb").exists()


def test_removal_that_was_cut_off_is_finished_by_the_next(
    workspace: Workspace, books: Books
) -> None:
    """Killed after the figures of a publication went, and before its manifest did."""
    (workspace.warehouse / "run-1.duckdb").unlink()
    found = clean(workspace, books, is_removing=True, now=NOW)
    assert workspace.warehouse / "run-1.json" in [item.path for item in found.removable]
    assert not (workspace.warehouse / "run-1.json").exists()
    assert (workspace.warehouse / f"run-{LATEST}.json").exists()
