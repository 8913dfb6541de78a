"""Real faults: killed processes, a full disk, missing permissions, locked books.

After each of them either a whole load counts or nothing of it, a person is told what to do, and the
next landing does the rest.
"""

from __future__ import annotations

import io
import itertools
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest
import yaml

from pipelines.books import engines
from pipelines.books.audit import find_chain_breaks
from pipelines.cli.main import run
from pipelines.landing import land
from pipelines.warehouse.lake_views import create_lake_views, list_active_loads
from tests.unit.landing.company import GOOD, Company, ledger, open_company, record
from tests.unit.landing.own_source import LEDGER
from tests.unit.landing.test_interrupted_landing import LAND

ROOT = Path(__file__).parents[3]
NOBODY = 65534
RECORDS = {"a.csv": 12_000, "b.parquet": 30_000, "c.xlsx": 400}
"""Every record is 1.00 EUR, so that the money of a load is the number of its records."""
COLUMNS = {"line_id": "id", "posting_date": "date", "amount_local": "amount"}
SOURCE = (
    '  {name}: {{contract: general_ledger, mapping: {name}, inbox: "{name}/*", '
    "redelivery: append, hold_above_percent: null}}\n"
)


@pytest.fixture
def formats(company: Company) -> Iterator[Company]:
    """The company with a source per format, and one that looks at a CSV twice (`stripped`)."""
    root = company.workspace.root
    (root / "mappings").mkdir()
    config = (root / "apportion.yml").read_text("utf-8")
    for name in ("csv", "parquet", "xlsx", "stripped"):
        mapping: dict[str, Any] = {
            **LEDGER,
            "mapping_id": name,
            "description": "",
            "columns": COLUMNS,
        }
        if name == "stripped":
            mapping["strip_text"] = True
        else:
            mapping["format"] = name
        if name in ("csv", "stripped"):
            mapping["columns"] = {**COLUMNS, "description": "memo"}
        (root / "mappings" / f"{name}.yml").write_text(yaml.safe_dump(mapping), "utf-8")
        config += SOURCE.format(name=name)
    (root / "apportion.yml").write_text(config, "utf-8")
    opened = open_company(root)
    yield opened
    opened.books.close()


def _csv(count: int) -> bytes:
    """Memos are random, so that nothing of them can be packed."""
    memos = random.Random(1).randbytes(32 * count).hex()
    lines = (f"L{n},2026-01-31,1.00,{memos[64 * n : 64 * n + 64]}\n" for n in range(count))
    return ("id,date,amount,memo\n" + "".join(lines)).encode()


def _parquet(path: Path, count: int, date: str = "date '2026-01-31'") -> None:
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select md5(n::varchar) as id, {date} as date, 1.00::decimal(9, 2) as amount "
            f"from range({count}) as numbers (n)) to '{path}' (format parquet)"
        )


def _xlsx(count: int) -> bytes:
    workbook = openpyxl.Workbook(write_only=True)
    sheet = workbook.create_sheet("Ledger")
    sheet.append(["id", "date", "amount"])
    for number in range(count):
        sheet.append([f"L{number}", "2026-01-31", 1])
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def _deliver(company: Company) -> None:
    """One file of each format."""
    company.put(_csv(RECORDS["a.csv"]), "csv/a.csv")
    _parquet(company.put(b"", "parquet/b.parquet"), RECORDS["b.parquet"])
    company.put(_xlsx(RECORDS["c.xlsx"]), "xlsx/c.xlsx")


def _sum_by_file(company: Company) -> dict[str, Decimal]:
    """What a build reads of the lake, by delivered file."""
    loads = list_active_loads(company.workspace, company.books)
    sums = {}
    for load in loads:
        with duckdb.connect() as connection:
            create_lake_views(connection, [load])
            row = connection.execute("select sum(amount_local) from lake.general_ledger").fetchone()
        assert row is not None
        assert load.file_name not in sums, "one delivery counts twice"
        sums[load.file_name] = row[0]
    return sums


def _expect_whole_loads_only(company: Company) -> int:
    """Each load that counts is whole; how many there are."""
    sums = _sum_by_file(company)
    assert sums == {name: RECORDS[name] for name in sums}
    assert len(company.loads()) == len(sums)
    return len(sums)


def _expect_all_landed_once(company: Company) -> None:
    assert {result.state for result in company.land()} <= {"landed", "known"}
    assert _expect_whole_loads_only(company) == len(RECORDS)
    assert company.staging_directories() == []
    named = {load["sha256"] for load in company.loads()}
    lying = {path.name for path in company.workspace.lake.glob("*/*") if path.parent.name[0] != "."}
    assert lying == named
    with company.books.read() as connection:
        assert find_chain_breaks(connection) == []


# --- killed at any moment -----------------------------------------------------------------------

# Reads lines "directory<tab>seconds": each is landed by a child that is killed after so long. The
# imports are done once, so that the moments fall into the landing.
LAND_UNTIL_KILLED = """
import os, signal, sys, time
from pathlib import Path
import alembic, duckdb, openpyxl, sqlalchemy
from pipelines.books.books import Books
from pipelines.landing import land, native_records, record_checks
from pipelines.readers import parquet_reader, xlsx_reader
from pipelines.workspace.workspace import Workspace

for line in sys.stdin:
    directory, seconds = line.rstrip("\\n").split("\\t")
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        workspace = Workspace.open(Path(directory))
        land.land_inbox(workspace, Books.open(workspace))
        os._exit(0)
    time.sleep(float(seconds))
    if float(seconds):
        os.kill(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(code, time.monotonic() - began, flush=True)
"""
KILLS, KILLS_IN_A_ROW = 10, 3


class _Killer:
    """A process that lands workspaces in children and kills them."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", LAND_UNTIL_KILLED],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def land(self, company: Company, seconds: float = 0) -> tuple[int, float]:
        """Land, to the end or for so long: exit code (-9 killed) and seconds that it took."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{company.workspace.root}\t{seconds}\n")
        self._process.stdin.flush()
        code, took = self._process.stdout.readline().split()
        return int(code), float(took)

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(timeout=60) == 0


def test_landing_killed_at_random_moments_loses_and_doubles_nothing(
    formats: Company, tmp_path: Path
) -> None:
    seed = int(os.environ.get("KILL_SEED", random.SystemRandom().randrange(10**6)))
    print(f"KILL_SEED={seed} repeats these moments")
    chance = random.Random(seed)
    _deliver(formats)
    copies = (_copy(formats, tmp_path / str(number)) for number in itertools.count())
    killer = _Killer()
    code, whole = killer.land(next(copies))
    assert code == 0
    landed_at_kill: list[int] = []
    while len(landed_at_kill) < KILLS:
        company = next(copies)
        for _ in range(KILLS_IN_A_ROW):
            code, _ = killer.land(company, chance.uniform(0.05, 0.9) * whole)
            landed = _expect_whole_loads_only(company)
            if code == 0:
                break
            assert code == -signal.SIGKILL
            landed_at_kill.append(landed)
        _expect_all_landed_once(company)
        company.books.close()
    killer.close()
    print(f"loads that counted after each kill: {landed_at_kill}")


def _copy(company: Company, root: Path) -> Company:
    shutil.copytree(company.workspace.root, root)
    return open_company(root)


def test_two_loaders_at_once_land_every_format_once(formats: Company) -> None:
    """Parquet is read where it lies, in a directory that the other loader may want as well."""
    _deliver(formats)
    formats.books.close()
    command = [sys.executable, "-c", LAND, str(formats.workspace.root)]
    loaders = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    outputs = [loader.communicate(timeout=120)[0].split() for loader in loaders]
    assert [loader.returncode for loader in loaders] == [0, 0]
    assert sorted(outputs[0] + outputs[1]) == ["known"] * 3 + ["landed"] * 3
    _expect_all_landed_once(formats)


# --- a full disk --------------------------------------------------------------------------------


@contextmanager
def _small_disk(directory: Path, size: str) -> Iterator[Callable[[str], None]]:
    """A file system of that size at `directory`; gives a function that makes it larger."""
    directory.mkdir(parents=True, exist_ok=True)

    def mount(options: str) -> None:
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(directory)],
            check=True,
            capture_output=True,
        )

    try:
        mount(f"size={size}")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting a small file system takes the superuser, and is not permitted here")
    try:
        yield lambda larger: mount(f"remount,size={larger}")
    finally:
        subprocess.run(["umount", "-l", str(directory)], check=True)


def _land_by_command(company: Company, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    capsys.readouterr()
    code = run(["land", "--workspace", str(company.workspace.root)])
    printed = capsys.readouterr()
    return code, " ".join((printed.out + printed.err).split())


def _expect_full_disk(
    company: Company, capsys: pytest.CaptureFixture[str], name: str, reason: str
) -> None:
    code, text = _land_by_command(company, capsys)
    assert code == 2, text
    assert f"{name}: could not be written to {company.workspace.lake}" in text
    assert reason in text
    assert "Nothing of it was loaded" in text
    assert "free some space" in text
    assert "Traceback" not in text
    assert company.loads() == []
    assert list(company.workspace.lake.glob("[!.]*/*")) == []
    assert company.staging_directories() == []


NO_SPACE = "No space left on device"


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        ("csv", "1m"),  # The copy of the delivery finds no space: it has 1.1 MB.
        ("csv", "1500k"),  # The copy does, and the records do not.
        ("stripped", "1500k"),
        ("parquet", "500k"),
        ("parquet as text", "1500k"),
        ("xlsx", "16k"),  # The copy.
        ("xlsx", "32k"),  # The table that is made of the sheet.
    ],
)
def test_full_disk_is_a_clear_error_and_a_retry_works(
    formats: Company, capsys: pytest.CaptureFixture[str], kind: str, size: str
) -> None:
    source = kind.split(maxsplit=1)[0]
    path = formats.put(b"", f"{source}/a.{source}")
    if source == "parquet":
        _parquet(path, 30_000, "'2026-01-31'" if kind != source else "date '2026-01-31'")
    else:
        path.write_bytes(_xlsx(2000) if source == "xlsx" else _csv(13_000))
    with _small_disk(formats.workspace.lake, size) as enlarge:
        _expect_full_disk(formats, capsys, path.name, NO_SPACE)
        enlarge("64m")
        (result,) = formats.land()
        assert (result.state, result.records_quarantined) == ("landed", 0)
        assert _sum_by_file(formats) == {path.name: result.records_accepted}


def test_disk_too_small_for_what_does_not_fit_into_memory(
    formats: Company, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """DuckDB puts a table that is too large for its memory into the lake's staging area."""
    path = formats.put(_csv(250_000), "stripped/a.csv")
    size = path.stat().st_size
    monkeypatch.setattr(land, "MEMORY_LIMIT", "24MB")
    with _small_disk(formats.workspace.lake, f"{size + (1 << 20)}") as enlarge:
        code, text = _land_by_command(formats, capsys)
        assert code == 2, text
        assert f"a.csv: could not be written to {formats.workspace.lake}" in text
        assert formats.loads() == []
        assert formats.staging_directories() == []
        enlarge("512m")
        monkeypatch.setattr(land, "MEMORY_LIMIT", "1GB")
        (result,) = formats.land()
        assert (result.state, result.records_accepted) == ("landed", 250_000)


def test_full_disk_under_the_books_is_a_clear_error(
    company: Company, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    company.put(GOOD)
    disk = company.workspace.root / "disk"
    with _small_disk(disk, "1m") as enlarge:
        company.books.close()
        shutil.copy(company.workspace.books_path, disk / "books.sqlite")
        monkeypatch.setenv("APPORTION_BOOKS_URL", f"sqlite:///{disk / 'books.sqlite'}")
        opened = open_company(company.workspace.root)
        assert opened.loads() == []
        with pytest.raises(OSError, match=NO_SPACE), (disk / "filler").open("wb") as filler:
            while True:
                filler.write(bytes(4096))
                filler.flush()
        code, text = _land_by_command(opened, capsys)
        assert (code, "the books cannot be used" in text) == (2, True), text
        assert "full" in text
        enlarge("64m")
        assert opened.loads() == []
        assert opened.audit_actions() == []
        assert [result.state for result in opened.land()] == ["landed"]
        opened.books.close()


# --- books that another program holds -----------------------------------------------------------


def test_locked_books_are_a_clear_error(
    company: Company, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    company.put(GOOD)
    monkeypatch.setattr(engines, "BUSY_MILLISECONDS", 100)
    holder = sqlite3.connect(company.workspace.books_path, isolation_level=None)
    holder.execute("begin immediate")
    began = time.monotonic()
    code, text = _land_by_command(company, capsys)
    assert time.monotonic() - began < 20
    assert code == 2, text
    assert "the books cannot be used: database is locked" in text
    assert str(company.workspace.books_path) in text
    assert company.loads() == []
    assert company.staging_directories() == []
    holder.execute("rollback")
    holder.close()
    assert [result.state for result in company.land()] == ["landed"]


# --- missing permissions ------------------------------------------------------------------------


# Lands a first workspace to have everything imported, for the interpreter's own files may be closed
# to others; becomes nobody, and lands the others.
LAND_AS_NOBODY = """
import os, sys
from pipelines.cli.main import run

uid, first, *others = sys.argv[1:]
assert run(["land", "--workspace", first]) == 0
if os.geteuid() == 0:
    os.setgroups([])
    os.setresgid(int(uid), int(uid), int(uid))
    os.setresuid(int(uid), int(uid), int(uid))
for workspace in others:
    print("<next>", flush=True)
    print(run(["land", "--workspace", workspace]), flush=True)
os._exit(0)
"""
CLOSED = {
    "lake": 0o500,
    "lake/.staging": 0o500,
    "lake/ledger": 0o500,
    "inbox": 0o000,
    "inbox/ledger": 0o000,
    "inbox/ledger/a.csv": 0o000,
    "books.sqlite": 0o400,
}
"""What may not be read or written, a company each. Its owner is not the superuser."""


@pytest.fixture(scope="module")
def closed(empty_company: Path) -> Iterator[dict[str, tuple[Company, int, str]]]:
    """For each of CLOSED a company, the exit code of its landing and what was printed."""
    companies = {}
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        for number, name in enumerate(("", *CLOSED)):
            root = Path(directory) / str(number)
            shutil.copytree(empty_company, root)
            companies[name] = open_company(root)
            companies[name].put(GOOD)
            companies[name].put(ledger(record("B1", period_id="2026-02")), "ledger/b.csv")
            companies[name].books.close()
            _close(root, name)
        roots = [str(company.workspace.root) for company in companies.values()]
        done = subprocess.run(
            [sys.executable, "-c", LAND_AS_NOBODY, str(NOBODY), *roots],
            check=False,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout
        for path in Path(directory).rglob("*"):
            path.chmod(0o700)
        printed = [" ".join(part.split()) for part in done.stdout.split("<next>")[1:]]
        codes = [int(text.split()[-1]) for text in printed]
        del companies[""]
        results = zip(CLOSED, codes, printed, strict=True)
        yield {name: (companies[name], code, text) for name, code, text in results}
        for company in companies.values():
            company.books.close()


def _close(root: Path, name: str) -> None:
    if not name:
        return
    if name.startswith("lake"):
        (root / name).mkdir(parents=True)
    if os.geteuid() == 0:
        for path in (root, *root.rglob("*")):
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    (root / name).chmod(CLOSED[name])
    if name == "books.sqlite":
        root.chmod(0o555)


Closed = dict[str, tuple[Company, int, str]]


@pytest.mark.parametrize("name", ["lake", "lake/.staging", "lake/ledger"])
def test_lake_without_permission_is_a_clear_error(closed: Closed, name: str) -> None:
    company, code, text = closed[name]
    assert code == 2, text
    assert f"could not be written to {company.workspace.lake}: Permission denied" in text
    assert "Nothing of it was loaded. Make the directory writable" in text
    assert "Traceback" not in text
    assert company.loads() == []
    assert [result.state for result in company.land()] == ["landed", "landed"]


def test_delivery_without_permission_is_refused_and_the_others_land(closed: Closed) -> None:
    company, code, text = closed["inbox/ledger/a.csv"]
    assert code == 4, text
    assert "a.csv: cannot be read; expected a readable file; found Permission denied" in text
    assert [load["file_name"] for load in company.loads()] == ["b.csv"]


@pytest.mark.parametrize("name", ["inbox", "inbox/ledger"])
def test_folder_without_permission_does_not_look_empty(closed: Closed, name: str) -> None:
    company, code, text = closed[name]
    assert code == 2, text
    where = company.workspace.root / name
    assert f"{where}: the inbox cannot be read: Permission denied. Nothing was loaded" in text
    assert company.loads() == []
    assert [result.state for result in company.land()] == ["landed", "landed"]


def test_books_without_permission_are_a_clear_error(closed: Closed) -> None:
    company, code, text = closed["books.sqlite"]
    assert code == 2, text
    assert "the books cannot be used: attempt to write a readonly database" in text
    assert "Traceback" not in text
    assert company.loads() == []
