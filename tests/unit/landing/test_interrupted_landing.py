"""A landing that fails, is killed or meets another one: all of a file, once, or nothing of it."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.books.audit import find_chain_breaks
from pipelines.books.books import Books
from pipelines.landing import lake_files, land
from pipelines.landing.land import LandingFailedError, land_inbox
from pipelines.readers.safe_bytes import BytesSeen
from pipelines.warehouse.lake_views import list_active_loads
from tests.unit.landing.company import GOOD, Company, ledger, open_company, record

ROOT = Path(__file__).parents[3]

LAND = """
import sys
from pathlib import Path
from pipelines.books.books import Books
from pipelines.landing import land
from pipelines.workspace.workspace import Workspace

workspace = Workspace.open(Path(sys.argv[1]))
books = Books.open(workspace)
print(*(result.state for result in land.land_inbox(workspace, books)))
"""

# Reads lines "directory<tab>patch"; each is landed by a process of its own, which kills itself.
LAND_AND_DIE = """
import os, signal, sys
from pathlib import Path
import alembic, duckdb, sqlalchemy
from pipelines.books.books import Books
from pipelines.landing import lake_files, land
from pipelines.workspace.workspace import Workspace

def kill(*args, **options):
    os.kill(os.getpid(), signal.SIGKILL)

def after(function):
    def call(*args, **options):
        function(*args, **options)
        kill()
    return call

for line in sys.stdin:
    directory, patch = line.rstrip("\\n").split("\\t")
    child = os.fork()
    if child == 0:
        exec(patch)
        workspace = Workspace.open(Path(directory))
        land.land_inbox(workspace, Books.open(workspace))
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""

KILLED_AT = {
    "while the files are written": "land.write_records = kill",
    "before the rename": "lake_files.os.replace = kill",
    "after the rename": "lake_files.os.replace = after(os.replace)",
    "before the row": "land.record_load = kill",
    "after the row, before the commit": "land.record_load = after(land.record_load)",
}


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory, empty_company: Path) -> dict[str, Company]:
    """A company for each point at which its landing was killed."""
    companies = {}
    for point in KILLED_AT:
        root = tmp_path_factory.mktemp("killed") / "works"
        shutil.copytree(empty_company, root)
        companies[point] = open_company(root)
        companies[point].put(GOOD)
    lines = [f"{companies[p].workspace.root}\t{patch}\n" for p, patch in KILLED_AT.items()]
    command = [sys.executable, "-c", LAND_AND_DIE]
    given = "".join(lines)
    done = subprocess.run(
        command, check=False, cwd=ROOT, input=given, capture_output=True, text=True, timeout=120
    )
    assert done.stdout.split() == ["-9"] * len(KILLED_AT), done.stderr
    return companies


def _start(company: Company) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", LAND, str(company.workspace.root)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def _expect_nothing_counts(company: Company) -> None:
    assert company.loads() == []
    assert company.audit_actions() == []
    assert list_active_loads(company.workspace, company.books) == []


def _expect_a_retry_works(company: Company) -> None:
    assert [result.state for result in company.land()] == ["landed"]
    assert len(company.lake_directories()) == 1
    assert company.staging_directories() == []
    with company.books.read() as connection:
        assert find_chain_breaks(connection) == []
    assert company.read(company.land()[0], "select count(*) from records") == [(3,)]


@pytest.mark.parametrize("point", KILLED_AT)
def test_killed_landing_leaves_nothing_that_counts(killed: dict[str, Company], point: str) -> None:
    company = killed[point]
    # Something was begun, or the test would prove nothing.
    assert company.staging_directories() or company.lake_directories()
    _expect_nothing_counts(company)
    _expect_a_retry_works(company)
    company.books.close()


@pytest.mark.parametrize(
    "name", ["land.move_into_place", "land.record_load", "load_log.append_audit"]
)
def test_failed_landing_leaves_nothing_that_counts(
    company: Company, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def fail(*args: Any) -> None:
        raise RuntimeError("a defect")

    company.put(GOOD)
    with monkeypatch.context() as patched:
        patched.setattr(f"pipelines.landing.{name}", fail)
        with pytest.raises(RuntimeError, match="a defect"):
            company.land()
    _expect_nothing_counts(company)
    assert company.staging_directories() == []
    _expect_a_retry_works(company)


def test_two_loaders_at_once_land_each_file_once(tmp_path: Path, company: Company) -> None:
    """Both processes also make the books, at the same time."""
    company.books.close()
    for path in company.workspace.root.glob("books.sqlite*"):
        path.unlink()
    for month in range(1, 7):
        content = ledger(record(f"L{month}", period_id=f"2026-{month:02d}"))
        company.put(content, f"ledger/{month}.csv")
    children = [_start(company), _start(company)]
    outputs = [child.communicate(timeout=60)[0].split() for child in children]
    assert [child.returncode for child in children] == [0, 0]
    assert sorted(outputs[0] + outputs[1]) == ["known"] * 6 + ["landed"] * 6
    assert len(company.loads()) == len(company.lake_directories()) == 6
    assert company.staging_directories() == []
    with company.books.read() as connection:
        assert find_chain_breaks(connection) == []


def _meanwhile(
    company: Company, monkeypatch: pytest.MonkeyPatch, other: bytes, name: str
) -> list[str]:
    """Land the inbox, while another loader lands `other` just before our commit."""
    original = lake_files.write_records

    def write_and_let_other_land(*args: Any) -> None:
        original(*args)
        monkeypatch.setattr(land, "write_records", original)
        path = company.put(other, name)
        books = Books.open(company.workspace)
        with duckdb.connect() as connection:
            deliveries = land.find_deliveries(company.workspace)
            delivery = next(item for item in deliveries if item.path == path)
            assert land.land_file(company.workspace, books, connection, delivery).state == "landed"
        books.close()

    monkeypatch.setattr(land, "write_records", write_and_let_other_land)
    return [result.state for result in land_inbox(company.workspace, company.books)]


def test_content_that_another_loader_landed_meanwhile_is_known(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.put(GOOD, "ledger/b.csv")
    assert _meanwhile(company, monkeypatch, GOOD, "ledger/a.csv") == ["known"]
    assert [row["file_name"] for row in company.loads()] == ["a.csv"]
    assert len(company.lake_directories()) == 1


def test_period_that_another_loader_landed_meanwhile_is_refused(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.put(GOOD, "ledger/b.csv")
    assert _meanwhile(company, monkeypatch, ledger(record("X1")), "ledger/a.csv") == ["refused"]
    assert [row["file_name"] for row in company.loads()] == ["a.csv"]
    assert len(company.lake_directories()) == 1


@pytest.mark.parametrize("step", ["read_records", "write_records"])
def test_file_that_grows_while_it_is_read_is_refused(
    company: Company, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = company.put(GOOD)
    original = getattr(land, step)

    def grow_and_go_on(*args: Any) -> Any:
        with path.open("ab") as file:
            file.write(f"{record('L4')}\n".encode())
        return original(*args)

    with monkeypatch.context() as patched:
        patched.setattr(land, step, grow_and_go_on)
        results = company.land()
    assert [result.state for result in results] == ["refused"]
    assert "changed while it was read" in results[0].message
    assert "finished writing" in results[0].message
    _expect_nothing_counts(company)
    assert company.lake_directories() == []
    assert company.land()[0].records_accepted > 3


def test_file_that_vanishes_while_it_is_read_is_refused(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = company.put(GOOD)
    original = lake_files.copy_original

    def remove_and_go_on(*args: Any) -> BytesSeen:
        path.unlink()
        return original(*args)

    monkeypatch.setattr(land, "copy_original", remove_and_go_on)
    assert [result.state for result in company.land()] == ["refused"]
    _expect_nothing_counts(company)


@pytest.mark.parametrize("in_the_way", ["lake", "lake/ledger", "lake/.staging"])
def test_lake_that_cannot_be_written_is_a_clear_error(company: Company, in_the_way: str) -> None:
    """A file where a directory should be refuses everyone, the superuser too."""
    path = company.workspace.root / in_the_way
    path.parent.mkdir(exist_ok=True)
    path.write_text("in the way", "utf-8")
    company.put(GOOD)
    with pytest.raises(LandingFailedError) as caught:
        company.land()
    message = str(caught.value)
    assert f"could not be written to {company.workspace.lake}" in message
    assert "Nothing of it was loaded" in message
    assert caught.value.exit_code == 2
    _expect_nothing_counts(company)
    path.unlink()
    _expect_a_retry_works(company)


def test_full_disk_is_a_clear_error(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    company.put(GOOD)
    with monkeypatch.context() as patched:
        patched.setattr("pipelines.landing.lake_files.os.fsync", fail)
        with pytest.raises(LandingFailedError, match="No space left on device"):
            company.land()
    _expect_nothing_counts(company)
    assert company.staging_directories() == []
    _expect_a_retry_works(company)


def test_staging_of_a_living_loader_is_not_swept(company: Company) -> None:
    with lake_files.open_staging(company.workspace) as mine:
        (mine / "original").write_text("being written", "utf-8")
        abandoned = mine.parent / "abandoned"
        abandoned.mkdir()
        lake_files.sweep_staging(company.workspace)
        assert (mine / "original").exists()
        assert not abandoned.exists()
    assert not mine.exists()
