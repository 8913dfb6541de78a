"""A build that is killed at any moment leaves the published figures as they were."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.command import APPORTION, ask_sql, run_apportion

LEDGER = """line_id,period_id,posting_date,legal_entity_id,account_id,cost_centre_id,vendor_name,\
document_id,description,currency_code,amount_local
L1,2026-03,2026-03-31,E1,6000,CC1,Vendor,D1,Text,EUR,100.00
L2,2026-03,2026-03-31,E1,6001,CC1,Vendor,D2,Text,EUR,-0.01
"""
CENTRES = """cost_centre_id,cost_centre_name,business_unit_id,business_unit_name,division_name,\
legal_entity_id,legal_entity_name,manager_name,is_it,valid_from,valid_to
CC1,One,B1,Unit one,,E1,Entity,,false,2020-01-01,
CC2,Two,B2,Unit two,,E1,Entity,,false,2020-01-01,
"""
HEADS = "period_id,cost_centre_id,headcount_quantity\n2026-03,CC1,1\n2026-03,CC2,2\n"
QUERY = "select cost_centre_id, cost_amount from fct_charges_monthly order by all"
RANDOM_KILLS = 4


def deliver(workspace: Path, source: str, text: str, name: str = "a.csv") -> None:
    directory = workspace / "inbox" / source
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small company with one published period: 99.99 over heads of 1 and 2."""
    workspace = tmp_path_factory.mktemp("kill") / "ws"
    run_apportion("init", workspace, "--template", "empty")
    deliver(workspace, "general_ledger", LEDGER)
    deliver(workspace, "cost_centres", CENTRES)
    deliver(workspace, "headcount", HEADS)
    run_apportion("run", "-w", workspace)
    return workspace


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """End the build and every process that it started, as a power cut would."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def start_build(workspace: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [str(APPORTION), "build", "--force", "-w", str(workspace)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def test_figures_are_worked_out(published: Path) -> None:
    # 99.99 / 3 = 33.33 and twice that is 66.66.
    assert ask_sql(published, QUERY) == [
        {"cost_centre_id": "CC1", "cost_amount": "33.33"},
        {"cost_centre_id": "CC2", "cost_amount": "66.66"},
    ]


def test_killed_builds_leave_what_was_published(published: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "ws"
    shutil.copytree(published, workspace)
    figures = ask_sql(workspace, QUERY)
    start = time.monotonic()
    build = start_build(workspace)
    assert build.wait() == 0
    whole = time.monotonic() - start
    before = (workspace / "warehouse" / "CURRENT").read_bytes()
    deliver(workspace, "general_ledger", LEDGER.replace("L1,2026-03", "L9,2026-04"), "b.csv")
    run_apportion("land", "-w", workspace, expect=None)
    moments = random.Random(20261031)
    killed = 0
    for _ in range(RANDOM_KILLS):
        build = start_build(workspace)
        time.sleep(moments.uniform(0.1, 0.95) * whole)
        if build.poll() is None:
            kill_group(build)
            killed += 1
            assert (workspace / "warehouse" / "CURRENT").read_bytes() == before
            assert ask_sql(workspace, QUERY) == figures
        else:
            before = (workspace / "warehouse" / "CURRENT").read_bytes()
            figures = ask_sql(workspace, QUERY)
    assert killed
    answer = json.loads(run_apportion("build", "--force", "--json", "-w", workspace).stdout)
    assert answer["is_new"]
    with closing(sqlite3.connect(workspace / "books.sqlite")) as books:
        states = dict(books.execute("select state, count(*) from runs group by 1").fetchall())
    assert "running" not in states
    assert states["failed"] >= 1  # one killed before its first row left none
    run_apportion("doctor", "-w", workspace)


def test_crash_between_books_and_pointer_is_repaired(published: Path, tmp_path: Path) -> None:
    """The books' row is the commit point; the pointer is derived from it."""
    workspace = tmp_path / "ws"
    shutil.copytree(published, workspace)
    old_pointer = (workspace / "warehouse" / "CURRENT").read_bytes()
    run_apportion("build", "--force", "-w", workspace)
    newest = json.loads((workspace / "warehouse" / "CURRENT").read_text())["run_id"]
    (workspace / "warehouse" / "CURRENT").write_bytes(old_pointer)
    run_apportion("build", "-w", workspace)
    assert json.loads((workspace / "warehouse" / "CURRENT").read_text())["run_id"] == newest


def test_second_build_at_the_same_time_is_told(published: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "ws"
    shutil.copytree(published, workspace)
    first = start_build(workspace)
    try:
        deadline = time.monotonic() + 30
        while not (workspace / "warehouse" / ".building").exists():
            assert time.monotonic() < deadline, "the first build did not start"
            time.sleep(0.05)
        done = run_apportion("build", "--force", "-w", workspace, expect=4)
        assert "another build" in done.stderr
        assert first.wait() == 0
    finally:
        if first.poll() is None:
            kill_group(first)


def test_cost_without_a_rate_or_outside_the_calendar_is_refused(
    published: Path, tmp_path: Path
) -> None:
    workspace = tmp_path / "ws"
    shutil.copytree(published, workspace)
    pointer = (workspace / "warehouse" / "CURRENT").read_bytes()
    dollars = (
        LEDGER.replace("2026-03-31", "2026-04-30")
        .replace("2026-03", "2026-04")
        .replace("EUR", "USD")
        # The same figures in another currency would be asked about.
        .replace("100.00", "9000.00")
    )
    deliver(workspace, "general_ledger", dollars, "usd.csv")
    run_apportion("land", "-w", workspace)
    done = run_apportion("build", "-w", workspace, expect=4)
    assert "USD for 2026-04 (2 lines)" in done.stderr
    assert (workspace / "warehouse" / "CURRENT").read_bytes() == pointer
    late = LEDGER.replace("2026-03-31", "2031-03-31").replace("2026-03", "2031-03")
    deliver(workspace, "general_ledger", late, "late.csv")
    run_apportion("land", "-w", workspace)
    done = run_apportion("build", "-w", workspace, expect=4)
    assert "2 lines of 2031-03" in done.stderr
    assert "calendar" in done.stderr
