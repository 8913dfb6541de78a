"""Measurements of landing: `python -m tests.bench.bench_deliveries [SCALE]`.

Every aim is a ratio within one run, because machines differ and are noisy:

- landing, checking and metering a month of usage, 100 M rows of Parquet, against DuckDB's bare
  `group by` of service, business unit and unit over the same file, and the memory of the process;
- a declared unique key against a `group by` of that key;
- landing a CSV of 10 M postings against DuckDB's `read_csv` of all columns as text into Parquet;
- landing file 1,000 of a source against file 1.

SCALE multiplies the numbers of rows; 1 is what is said above. Below 1 fixed costs weigh more, so
the aims are printed, not judged. Checks of Great Expectations are measured without its import,
which a build pays once and beside its own work.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

USAGE_ROWS = 100_000_000
KEYED_ROWS = 20_000_000
CSV_ROWS = 10_000_000
FILES = 1000
COMPARED_FILES = 50

USAGE_AIM, KEY_AIM, CSV_AIM, FILES_AIM = 4.0, 1.5, 2.0, 1.5
MEMORY_AIM_MIB = 4096

CONFIG = """\
name: Bench
currency: EUR
calendar: {first_period: 2026-01, last_period: 2026-12}
control_total: {source: ledger}
sources:
  ledger: {contract: general_ledger, inbox: ledger/*.csv, redelivery: append}
  usage:
    contract: service_usage
    inbox: usage/*.parquet
    mapping: usage_parquet
    redelivery: append
    unique_key: []
  keyed:
    contract: service_usage
    inbox: keyed/*.parquet
    mapping: usage_parquet
    redelivery: append
"""

MAPPING = """\
mapping_id: usage_parquet
contract: service_usage
description: Use of services as metered.
format: parquet
columns:
  period_id: period_id
  service_id: service_id
  receiver_kind: receiver_kind
  receiver_id: receiver_id
  quantity: quantity
  unit_code: unit_code
"""

USAGE = """
    select
        '2026-03' as period_id,
        'svc-' || lpad(cast(hash(i) % 200 as varchar), 3, '0') as service_id,
        'consumer' as receiver_kind,
        'CC' || cast(1000 + hash(i * 7 + 1) % 500 as varchar) as receiver_id,
        cast((hash(i * 13 + 5) % 1000000) / 100.0 as decimal(18, 4)) as quantity,
        'gb-month' as unit_code
    from range({rows}) as numbers (i)
"""

KEYED = """
    select
        '2026-01' as period_id, 'svc-1' as service_id, 'consumer' as receiver_kind,
        'R' || i as receiver_id, 1.5::decimal(18, 4) as quantity, 'gb-month' as unit_code
    from range({rows}) as numbers (i)
"""

LEDGER = """
    select
        'L' || i as line_id, '2026-' || lpad(cast(1 + i % 3 as varchar), 2, '0') as period_id,
        date '2026-01-01' + cast(i % 90 as int) as posting_date, 'DE01' as legal_entity_id,
        cast(6000 + i % 80 as varchar) as account_id, 'CC' || (1000 + i % 500) as cost_centre_id,
        'Vendor ' || (i % 1000) as vendor_name, 'D' || (i // 5) as document_id,
        'memo text ' || i as description, 'EUR' as currency_code,
        cast((hash(i) % 10000000) / 100.0 as decimal(18, 2)) as amount_local
    from range({rows}) as numbers (i)
"""

# A process of its own, so that its memory is its own.
LAND_AND_METER = """
import datetime, json, resource, sys, time
from pathlib import Path
import duckdb
from pipelines.books.books import Books
from pipelines.checks.plan import make_plan
from pipelines.checks.run_checks import run_checks
from pipelines.landing.land import land_inbox
from pipelines.warehouse.lake_views import create_lake_views, list_active_loads
from pipelines.workspace.workspace import Workspace

import great_expectations

workspace = Workspace.open(Path(sys.argv[1]))
books = Books.open(workspace)
seconds = {}
start = time.perf_counter()
results = land_inbox(workspace, books)
seconds["land"] = time.perf_counter() - start
assert [r.state for r in results] == ["landed"], results
database = Path(sys.argv[1]) / "deliveries.duckdb"
loads = list_active_loads(workspace, books)
with duckdb.connect(str(database)) as connection:
    create_lake_views(connection, loads)
plan = make_plan(workspace.config, loads, None, datetime.date(2026, 4, 30))
start = time.perf_counter()
report = run_checks(database, plan, Path(sys.argv[1]) / "evidence")
seconds["check"] = time.perf_counter() - start
assert report.error_count == 0, [item.sentence for item in report.results if item.stops_build]
start = time.perf_counter()
with duckdb.connect(str(database), config={"memory_limit": "3GB"}) as connection:
    connection.execute(
        "create table met_service_usage as select _scenario_id, period_id, service_id, "
        "receiver_kind, receiver_id, unit_code, sum(quantity) as quantity "
        "from lake.service_usage group by all"
    )
seconds["meter"] = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "peak": peak}))
"""


def main() -> int:
    """Measure and print; exit code 1 if an aim is missed at full size."""
    scale = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    rows: list[tuple[str, str, float, float]] = []
    with tempfile.TemporaryDirectory(prefix="apportion-bench-") as name:
        root = Path(name)
        rows += measure_usage(root, int(USAGE_ROWS * scale))
        rows += measure_key(root, int(KEYED_ROWS * scale))
        rows += measure_csv(root, int(CSV_ROWS * scale))
        rows += measure_files(root)
    print(f"\n{'measure':<58}{'figure':>12}{'aim':>12}")
    for title, unit, figure, aim in rows:
        mark = "" if figure <= aim else "  missed"
        print(f"{title:<58}{figure:>8.2f} {unit:<3}{aim:>8.2f} {unit:<3}{mark}")
    is_missed = any(figure > aim for _, _, figure, aim in rows)
    return 1 if is_missed and scale >= 1 else 0


def measure_usage(root: Path, rows: int) -> list[tuple[str, str, float, float]]:
    """Land, check and meter usage from Parquet, against one bare query over the file."""
    import json

    workspace = make_workspace(root / "usage")
    path = workspace / "inbox" / "usage" / "usage.parquet"
    write_table(USAGE.format(rows=rows), path)
    query = (
        "select service_id, receiver_id, unit_code, sum(quantity) "
        f"from read_parquet('{path}') group by all"
    )
    before = time_query(query)
    done = subprocess.run(
        [sys.executable, "-c", LAND_AND_METER, str(workspace)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    bare = statistics.mean([before, time_query(query)])
    shutil.rmtree(workspace)
    parts = ", ".join(f"{step} {seconds:.1f} s" for step, seconds in measured["seconds"].items())
    print(f"{rows:,} usage rows: {parts}; bare group by {bare:.1f} s")
    total = sum(measured["seconds"].values())
    return [
        ("usage: land, check and meter / bare group by", "x", total / bare, USAGE_AIM),
        ("usage: largest memory of the process", "MiB", measured["peak"], MEMORY_AIM_MIB),
    ]


def measure_key(root: Path, rows: int) -> list[tuple[str, str, float, float]]:
    """What a unique key adds to the landing of a file, against a group by of that key."""
    path = root / "keyed.parquet"
    write_table(KEYED.format(rows=rows), path)
    key = "period_id, service_id, receiver_kind, receiver_id"
    query = f"select count(*) from (select {key} from read_parquet('{path}') group by {key})"
    times: dict[str, float] = {}
    for source in ("usage", "keyed"):
        workspace = make_workspace(root / f"key-{source}")
        target = workspace / "inbox" / source / "keyed.parquet"
        shutil.copyfile(path, target)
        times[source] = time_landing(workspace)
        shutil.rmtree(workspace)
    bare = time_query(query)
    path.unlink()
    print(
        f"{rows:,} keyed rows: landed without key {times['usage']:.1f} s, with key "
        f"{times['keyed']:.1f} s; group by of the key {bare:.1f} s"
    )
    added = max(times["keyed"] - times["usage"], 0.0)
    return [("a unique key / group by of the key", "x", added / bare, KEY_AIM)]


def measure_csv(root: Path, rows: int) -> list[tuple[str, str, float, float]]:
    """Land a CSV, against reading it as text into Parquet that is compressed as the lake is."""
    workspace = make_workspace(root / "csv")
    path = workspace / "inbox" / "ledger" / "ledger.csv"
    write_table(LEDGER.format(rows=rows), path)
    query = (
        f"copy (select * from read_csv('{path}', all_varchar = true, header = true)) "
        f"to '{root / 'text.parquet'}' (format parquet, compression zstd)"
    )
    before = time_query(query)
    seconds = time_landing(workspace)
    bare = statistics.mean([before, time_query(query)])
    shutil.rmtree(workspace)
    print(f"{rows:,} rows of CSV: landed in {seconds:.1f} s; read_csv into Parquet {bare:.1f} s")
    return [("CSV: landing / read_csv as text into Parquet", "x", seconds / bare, CSV_AIM)]


def measure_files(root: Path) -> list[tuple[str, str, float, float]]:
    """The last files of a source against the first ones."""
    import duckdb

    from pipelines.books.books import Books
    from pipelines.landing.delivery import find_deliveries
    from pipelines.landing.land import land_file
    from pipelines.workspace.workspace import Workspace

    workspace = Workspace.open(make_workspace(root / "files"))
    books = Books.open(workspace)
    text = "line_id,period_id,posting_date,legal_entity_id,account_id,cost_centre_id,"
    text += "currency_code,amount_local\n"
    for number in range(FILES):
        line = f"L{number},2026-01,2026-01-31,DE01,6400,CC100,EUR,1.00\n"
        (workspace.inbox / "ledger" / f"{number:04d}.csv").write_text(text + line, "utf-8")
    times = []
    with duckdb.connect() as connection:
        for delivery in list(find_deliveries(workspace)):
            start = time.perf_counter()
            land_file(workspace, books, connection, delivery)
            times.append(time.perf_counter() - start)
    books.close()
    # The lower quartile: what else the machine does makes single files slower, never faster.
    first, last = (
        statistics.quantiles(part, n=4)[0]
        for part in (times[1 : COMPARED_FILES + 1], times[-COMPARED_FILES:])
    )
    print(f"{FILES:,} files: the first ones took {first * 1000:.0f} ms, the last {last * 1000:.0f}")
    return [("file 1,000 / file 1", "x", last / first, FILES_AIM)]


def make_workspace(root: Path) -> Path:
    """A workspace with the sources of the measurements and an empty inbox."""
    for directory in ("ledger", "usage", "keyed"):
        (root / "inbox" / directory).mkdir(parents=True)
    (root / "mappings").mkdir()
    (root / "apportion.yml").write_text(CONFIG, "utf-8")
    (root / "mappings" / "usage_parquet.yml").write_text(MAPPING, "utf-8")
    return root


def write_table(query: str, path: Path) -> None:
    """Write what a query gives as the delivery at `path`."""
    import duckdb

    form = "format parquet, compression zstd" if path.suffix == ".parquet" else "header"
    with duckdb.connect() as connection:
        connection.execute(f"copy ({query}) to '{path}' ({form})")


def time_query(query: str) -> float:
    """Seconds of a query on a connection of its own."""
    import duckdb

    with duckdb.connect() as connection:
        return time_call(lambda: connection.execute(query).fetchall())


def time_landing(root: Path) -> float:
    """Seconds of landing the inbox."""
    from pipelines.books.books import Books
    from pipelines.landing.land import land_inbox
    from pipelines.workspace.workspace import Workspace

    workspace = Workspace.open(root)
    books = Books.open(workspace)
    seconds = time_call(lambda: _expect_landed(land_inbox(workspace, books)))
    books.close()
    return seconds


def _expect_landed(results: list[Any]) -> None:
    assert [result.state for result in results] == ["landed"], results


def time_call(call: Callable[[], Any]) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
