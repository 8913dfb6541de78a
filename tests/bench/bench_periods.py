"""Measurements of a build over many periods: `python -m tests.bench.bench_periods [SCALE]`.

The same month is delivered 3, 12 and 36 times, to a company of 40 services, of which 8 are used by
the others, and 200 cost centres, and is built by the real path. The aim is a ratio within one run,
to machines and their noise: a period added to 12 (up to 36) must cost at most 1.5 times what a
period added to 3 (up to 12) costs. In both the start of dbt and what it spends per model is the
same, so that it falls out; what grows faster than the periods shows.

Then the periods are closed one after the other, and the close of the last one of 36 is compared
with the close of the last one of 3: history must cost a close nothing, beyond half for noise.

Seconds are processor time: of dbt and of the checks beside it, or of the close itself; so what else
the machine does hardly counts.

SCALE multiplies postings and consumers; below 1 the seconds per model weigh more, so that the aim
is printed, not judged.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.books.books import Books
    from pipelines.workspace.workspace import Workspace

MONTHS = (3, 12, 36)
SERVICES, SHARED, CENTRES, POSTINGS, ACCOUNTS = 40, 8, 200, 4000, 30
AIM = CLOSE_AIM = 1.5

CONFIG = """\
name: Bench
currency: EUR
calendar: {{first_period: 2024-01, last_period: {last_period}}}
control_total: {{source: general_ledger}}
sources:
  general_ledger: {{contract: general_ledger, inbox: general_ledger.csv, is_required: true}}
  cost_centres: {{contract: cost_centres, inbox: cost_centres.csv, is_required: true}}
  service_usage: {{contract: service_usage, inbox: service_usage.csv}}
"""

POOLS = """\
pools:
  - {id: labour, name: Labour}
  - {id: software, name: Software}
rules:
  - {id: labour, priority: 10, match: {account: ["60*"]}, pool: labour, reason: People}
  - {id: software, priority: 20, match: {account: ["*"]}, pool: software, reason: The rest}
"""

TOWERS = """\
towers:
  - {id: compute, name: Compute}
  - {id: storage, name: Storage}
  - {id: desk, name: Desk}
rules:
  - id: labour
    priority: 10
    match: {pool: [labour]}
    split: {method: fixed, shares: {compute: 50, storage: 30, desk: 20}}
    reason: By agreement
  - id: software
    priority: 20
    match: {pool: [software]}
    split: {method: even, to: [compute, storage, desk]}
    reason: By agreement
"""

DRIVERS = """\
drivers:
  - {id: parts, name: Parts, kind: service_usage, unit: part, description: Use as metered}
"""

LEDGER = """
    copy (
        select
            'L' || month || '-' || i as line_id, strftime(day, '%Y-%m') as period_id,
            day as posting_date, 'DE01' as legal_entity_id,
            cast(6000 + (i % {accounts}) * 10 as varchar) as account_id,
            'IT' || (i % 20) as cost_centre_id, 'EUR' as currency_code,
            cast((hash(i) % 1000000) / 100.0 as decimal(18, 2)) as amount_local
        from (
            select
                month,
                cast(date '2024-01-15' + to_months(cast(month as integer)) as date) as day
            from range({months}) as months (month)
        )
        cross join range({postings}) as postings (i)
    ) to '{path}' (header true)
"""

USE = """
    copy (
        with months as (
            select
                strftime(date '2024-01-15' + to_months(cast(month as integer)), '%Y-%m')
                    as period_id
            from range({months}) as months (month)
        ),

        used as (
            select
                's' || s as service_id, 'consumer' as receiver_kind, 'CC' || c as receiver_id,
                1 + hash(s * 1000 + c) % 90 as quantity
            from range({services}) as services (s) cross join range({centres}) as centres (c)
            union all
            select 's' || s, 'service', 's' || t, 1 + hash(s * 1000 + t) % 90
            from range({shared}) as senders (s) cross join range({services}) as receivers (t)
            where s <> t
        )

        select *, 'part' as unit_code from months cross join used
    ) to '{path}' (header true)
"""


def main() -> int:
    """Measure and print; exit code 1 if the aim is missed at full size."""
    scale = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    seconds, closes = {}, {}
    for months in MONTHS:
        seconds[months], closes[months] = measure_months(months, scale)
        print(
            f"{months:>3} periods: {seconds[months]:.1f} s, "
            f"{seconds[months] / months:.2f} s per period; the last close {closes[months]:.2f} s",
            flush=True,
        )
    few, some, many = MONTHS
    first = (seconds[some] - seconds[few]) / (some - few)
    later = (seconds[many] - seconds[some]) / (many - some)
    rows = [
        ("a period added to 12 / a period added to 3", later / first, AIM),
        ("closing a period after 35 others / after 2", closes[many] / closes[few], CLOSE_AIM),
    ]
    print(f"a period more: {first:.2f} s up to {some}, {later:.2f} s up to {many}")
    print(f"\n{'measure':<58}{'figure':>12}{'aim':>12}")
    for title, figure, aim in rows:
        mark = "" if figure <= aim else "  missed"
        print(f"{title:<58}{figure:>10.2f} x{aim:>10.2f} x{mark}")
    is_missed = any(figure > aim for _, figure, aim in rows)
    return 1 if is_missed and scale >= 1 else 0


def measure_months(months: int, scale: float) -> tuple[float, float]:
    """Processor seconds of the build of so many periods, and of the last of their closes."""
    from pipelines.books.books import Books
    from pipelines.landing.land import land_inbox
    from pipelines.warehouse.build import build
    from pipelines.workspace.workspace import Workspace

    with tempfile.TemporaryDirectory(prefix="apportion-bench-") as name:
        workspace = Workspace.open(make_workspace(Path(name) / "periods", months, scale))
        books = Books.open(workspace)
        results = land_inbox(workspace, books)
        assert all(result.state == "landed" for result in results), results
        before = measure_children()
        build(workspace, books)
        seconds = measure_children() - before
        close = close_all(workspace, books, months)
        books.close()
    return seconds, close


def close_all(workspace: Workspace, books: Books, months: int) -> float:
    """Close the periods in their order; processor seconds of the last close."""
    from pipelines.books.person import act_as
    from pipelines.close.close_period import close_period
    from pipelines.close.desk import CloseDesk

    desk, seconds = CloseDesk(workspace, books), 0.0
    for number in range(months):
        period = f"{2024 + number // 12}-{number % 12 + 1:02d}"
        with act_as("Preparer", is_demo=True):
            desk.calculate(period)
        with act_as("Approver", is_demo=True):
            desk.review(period)
            for blocker in desk.list_blockers(period):
                desk.accept(period, blocker.blocker_id, "a measurement")
            desk.approve(period)
        before = time.process_time()
        close_period(desk, period)
        seconds = time.process_time() - before
    return seconds


def measure_children() -> float:
    """Processor seconds of all processes that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def make_workspace(root: Path, months: int, scale: float) -> Path:
    """A company whose every month is the same."""
    import duckdb

    model = root / "cost_model"
    inbox = root / "inbox"
    model.mkdir(parents=True)
    inbox.mkdir()
    last = f"{2024 + (months - 1) // 12}-{(months - 1) % 12 + 1:02d}"
    (root / "apportion.yml").write_text(CONFIG.format(last_period=last), "utf-8")
    for file, text in {
        "pools": POOLS,
        "towers": TOWERS,
        "drivers": DRIVERS,
        "services": write_services(),
        "allocation": write_allocation(),
    }.items():
        (model / f"{file}.yml").write_text(text, "utf-8")
    centres = int(CENTRES * scale)
    lines = [
        "cost_centre_id,cost_centre_name,business_unit_id,business_unit_name,legal_entity_id,"
        "legal_entity_name,is_it,valid_from"
    ]
    lines += [
        f"CC{c},Centre {c},B{c % 9},Unit {c % 9},DE01,Bench,false,2023-01-01"
        for c in range(centres)
    ]
    (inbox / "cost_centres.csv").write_text("\n".join(lines) + "\n", "utf-8")
    postings = int(POSTINGS * scale)
    with duckdb.connect() as connection:
        path = inbox / "general_ledger.csv"
        connection.execute(
            LEDGER.format(months=months, postings=postings, accounts=ACCOUNTS, path=path)
        )
        path = inbox / "service_usage.csv"
        connection.execute(
            USE.format(months=months, services=SERVICES, shared=SHARED, centres=centres, path=path)
        )
    return root


def write_services() -> str:
    """The catalogue; the first services are shared."""
    lines = [
        f"  - {{id: s{s}, name: Service {s}, category: Bench, description: Of the bench, "
        f"owner: Bench, unit: part, unit_name: part, driver: parts, "
        f"is_shared: {str(s < SHARED).lower()}}}"
        for s in range(SERVICES)
    ]
    return "services:\n" + "\n".join(lines) + "\n"


def write_allocation() -> str:
    """Every tower serves every service, and services use each other in circles."""
    services = ", ".join(f"s{s}" for s in range(SERVICES))
    rule = f"split: {{method: even, to: [{services}]}}, reason: By agreement"
    return (
        "shared_services:\n  method: reciprocal\nrules:\n"
        f'  - {{id: all, priority: 10, match: {{tower: ["*"]}}, {rule}}}\n'
    )


if __name__ == "__main__":
    sys.exit(main())
