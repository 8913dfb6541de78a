"""Measurements of `apportion verify`: `python -m tests.bench.bench_verify [SCALE]`.

36 periods are closed by the real code, over a published file that was made up: many small tables
and a large one, as a month has them. The aim is a ratio within one run: `apportion verify`, start
included, in at most three times what `sha256sum` takes for the same files. Both are run in turns,
with all files in memory, and the best of each counts. It is measured at the size of the sample
company's closes (about 6 MiB each) and at one that is five times as large; the aim holds for both.
`verify --deep`, which reads every table, is printed beside them.

Seconds are processor time, so that what else the machine does hardly counts. By the clock the ratio
is better, because `verify` hashes with several threads.

SCALE multiplies rows; below 1 the start of the program weighs more, so that the aim is printed, not
judged.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.close.blockers import Blocker
from pipelines.close.desk import CloseDesk
from pipelines.close.period_states import Figures
from tests.bench.bench_periods import measure_children

if TYPE_CHECKING:
    from pipelines.workspace.workspace import Workspace

APPORTION = Path(sys.executable).with_name("apportion")
MONTHS = 36
REPEATS = 3
AIM = 3.0
SMALL_TABLES = 60
CHARGES = {"as the sample company": 55_000, "five times as large": 320_000}
"""Charges of a month, by which the size of a close is set."""
MEBIBYTE = 1 << 20
CONFIG = """\
name: Bench
currency: EUR
calendar: {first_period: 2024-01, last_period: 2026-12}
control_total: {source: general_ledger}
sources:
  general_ledger: {contract: general_ledger, inbox: general_ledger.csv, is_required: true}
"""


@dataclass(frozen=True)
class BenchDesk(CloseDesk):
    """A desk at which nothing blocks: what is closed was made up."""

    def look(self, period_id: str) -> tuple[Figures, list[Blocker]]:
        from pipelines.close.figures import read_figures
        from pipelines.warehouse.reader import open_published

        with open_published(self.workspace) as marts:
            return read_figures(marts, period_id), []


def main() -> int:
    """Measure and print; exit code 1 if the aim is missed at full size."""
    scale = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    ratios = {}
    for size, charges in CHARGES.items():
        with tempfile.TemporaryDirectory(prefix="apportion-bench-") as name:
            root = close_months(Path(name) / "closes", int(charges * scale))
            files = [path for path in (root / "warehouse" / "closed").rglob("*") if path.is_file()]
            size_mib = sum(path.stat().st_size for path in files) / MEBIBYTE
            hashing, verifying, deep = measure(root, files)
            ratios[size] = verifying / hashing
            print(
                f"{size}: {len(files):,} files of {size_mib:,.0f} MiB; sha256sum {hashing:.2f} s, "
                f"verify {verifying:.2f} s, verify --deep {deep:.2f} s",
                flush=True,
            )
    print(f"\n{'measure':<58}{'figure':>12}{'aim':>12}")
    for size, ratio in ratios.items():
        mark = "" if ratio <= AIM else "  missed"
        print(f"{f'verify / sha256sum, {size}':<58}{ratio:>10.2f} x{AIM:>10.2f} x{mark}")
    is_missed = any(ratio > AIM for ratio in ratios.values())
    return 1 if is_missed and scale >= 1 else 0


def measure(root: Path, files: list[Path]) -> tuple[float, float, float]:
    """Processor seconds of sha256sum, of verify and of verify --deep."""
    listed = "\0".join(str(path) for path in files).encode()
    hashing, verifying = [], []
    for _ in range(REPEATS):
        # xargs starts it as few times as the length of a command allows.
        hashing.append(_measure(["xargs", "-0", "sha256sum"], listed))
        verifying.append(_measure([str(APPORTION), "verify", "--workspace", str(root)]))
    deep = _measure([str(APPORTION), "verify", "--deep", "--workspace", str(root)])
    return min(hashing), min(verifying), deep


def _measure(command: list[str], given: bytes = b"") -> float:
    before = measure_children()
    subprocess.run(command, input=given, stdout=subprocess.DEVNULL, check=True)
    return measure_children() - before


def close_months(root: Path, charges: int) -> Path:
    """A workspace with all months closed."""
    from pipelines.books.books import Books
    from pipelines.close.close_period import close_period
    from pipelines.workspace.workspace import Workspace

    root.mkdir(parents=True)
    (root / "apportion.yml").write_text(CONFIG, "utf-8")
    workspace = Workspace.open(root)
    books = Books.open(workspace)
    publish(workspace, charges)
    desk = BenchDesk(workspace, books)
    for number in range(MONTHS):
        period = f"{2024 + number // 12}-{number % 12 + 1:02d}"
        approve(desk, period)
        close_period(desk, period)
    books.close()
    return root


def approve(desk: CloseDesk, period: str) -> None:
    """The steps before a close, by two people."""
    from sqlalchemy import text

    from pipelines.books.person import act_as

    with desk.books.begin() as connection:
        connection.execute(
            text(
                "insert into runs (run_id, fingerprint, state, started_at, person_name, steps) "
                "values ('run-1', '', 'failed', '', '', '[]') on conflict do nothing"
            )
        )
    with act_as("Preparer", is_demo=True):
        desk.calculate(period)
    with act_as("Approver", is_demo=True):
        desk.review(period)
        desk.approve(period)


def publish(workspace: Workspace, charges: int) -> None:
    """A published file with the months, and the pointer to it."""
    import duckdb

    from pipelines.warehouse.lake_views import create_load_tables
    from pipelines.warehouse.publication import (
        Publication,
        PublishedFile,
        hash_file,
        write_publication,
    )

    workspace.warehouse.mkdir(parents=True)
    path = workspace.warehouse / "run-1.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema marts")
        connection.execute("create schema model")
        create_load_tables(connection, [])
        connection.execute(
            "create table marts.dim_run as select 'run-1' as run_id, '0' as code_version"
        )
        connection.execute(f"create table marts.fct_charges_monthly as {CHARGES_SQL}", [charges])
        connection.execute(f"create table marts.fct_bill_items_monthly as {ITEMS_SQL}")
        connection.execute(
            "create table marts.fct_charge_breakdown_monthly as "
            "from marts.fct_charges_monthly limit 0"
        )
        connection.execute(f"create table marts.rpt_certificate as {CERTIFICATE_SQL}")
        for number in range(SMALL_TABLES):
            connection.execute(f"create table marts.small_{number} as {SMALL_SQL}")
    file = PublishedFile(path.name, "open", hash_file(path), path.stat().st_size)
    write_publication(workspace, Publication("run-1", "", "", (file,)))


MONTHS_SQL = f"""
    select strftime(date '2024-01-15' + to_months(cast(month as integer)), '%Y-%m') as period_id
    from range({MONTHS}) as months (month)
"""
CHARGES_SQL = f"""
    select
        'actual' as scenario_id, period_id, 's' || n % 40 as service_id,
        'CC' || n // 40 as cost_centre_id,
        cast(hash(n, period_id) % 100000000 as decimal(28, 8)) / 100 as cost_amount,
        cast(hash(n, period_id) % 100000000 / 100.0 as decimal(28, 2)) as charged_amount,
        md5(concat(n, period_id)) as charge_id
    from ({MONTHS_SQL}) cross join range(?) as charges (n)
"""
ITEMS_SQL = """
    select scenario_id, period_id, service_id, sum(charged_amount) as amount
    from marts.fct_charges_monthly group by all
"""
CERTIFICATE_SQL = """
    select 'actual' as scenario_id, period_id, identity_id, term_id, sum(amount) as amount
    from marts.fct_bill_items_monthly
    cross join (values
        ('charged', 'charged'), ('ledger', 'delivered'), ('ledger', 'charged_cost'),
        ('billed', 'billed')
    ) as terms (identity_id, term_id)
    group by all
"""
SMALL_SQL = f"""
    select 'actual' as scenario_id, period_id, n as row_number, 'text ' || n as name
    from ({MONTHS_SQL}) cross join range(100) as rows (n)
"""


if __name__ == "__main__":
    sys.exit(main())
