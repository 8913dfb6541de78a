"""Measurements of statements: `python -m tests.bench.bench_statements [SCALE]`.

A published month of 200 business units, each of four cost centres that use all of 36 services, with
its pools, budget, month before, and a credit note: PDF with the picture of the bridge, workbook and
CSV of every unit, by the real path and by two processes. The aim is 6 statements a second on two
processors.

The bridge itself is not measured, because a made-up publication cannot be run again: its terms are
made up as well, and tie. Seconds of the aim are processor time of all processes, half of it because
there are two of them; so what else the machine does hardly counts. Those of the clock are printed.

SCALE multiplies the business units; the aim is judged at full size.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import duckdb

from pipelines.billing.errors import FailedStatement
from pipelines.billing.period_figures import PeriodFigures, load_figures
from pipelines.billing.write_bills import BillFiles, make_statements, render_statements
from pipelines.rerun.explain_units import UNIT_TERMS, ServiceBridge, UnitBridge
from tests.unit.billing.conftest import create_tables

UNITS, SERVICES, CENTRES, POOLS, PROCESSES = 200, 36, 4, 8, 2
AIM = 6.0

USE = """
    create temp table used as
    select
        scenario, period_id, 'BU' || lpad(cast(u as varchar), 3, '0') as unit_id,
        'CC' || lpad(cast(u as varchar), 3, '0') || c as centre_id, 's' || s as service_id,
        1 + hash(u * 10000 + c * 100 + s) % 90 as quantity,
        cast((10000 + hash(concat_ws('|', scenario, period_id, u, c, s)) % 900000) / 100.0
            as decimal(38, 2)) as amount
    from range({units}) as units (u)
    cross join range({centres}) as centres (c)
    cross join range({services}) as services (s)
    cross join (values ('actual', '2026-02'), ('actual', '2026-03'), ('budget', '2026-03'))
        as scopes (scenario, period_id)
"""

MARTS = """
    insert into dim_run
        values ('run-1', '2026-04-03 06:30:00', 'Bench', 'EUR', '1', repeat('ab', 32));
    insert into dim_periods values
        ('2026-02', 'Feb 2026', '2026-02-01', '2026-03-01', 'open'),
        ('2026-03', 'Mar 2026', '2026-03-01', '2026-04-01', 'open');
    insert into dim_services select 's' || s, 'Service number ' || s, 'Ana Weber', null, 'unit',
        'unit per month', 'at_cost', 0.999, 0.9 from range({services}) as services (s);
    insert into fct_service_quality_monthly
        select 'actual', '2026-03', 1, 's' || s, 42, 0.95, 3, 0.9995
        from range({services}) as services (s);
    alter table fct_charges_monthly add column charge_id text;
    insert into fct_charges_monthly select scenario, period_id, 1, service_id,
        'Service number ' || service_id[2:], centre_id, 'Cost centre ' || centre_id, unit_id,
        'Business unit ' || unit_id, 'Division', unit_id, 'Business unit ' || unit_id, amount,
        md5(concat(period_id, service_id, centre_id)) from used;
    insert into fct_bill_items_monthly select scenario_id, period_id, version, charge_id, 'charge',
        service_id, service_name, cost_centre_id, cost_centre_name, business_unit_id,
        business_unit_name, 'E1', period_id, version, charge_id, null, null, charged_amount
        from fct_charges_monthly;
    insert into fct_bill_items_monthly select scenario_id, '2026-03', 1, 'note-' || charge_id,
        'correction', service_id, service_name, cost_centre_id, cost_centre_name, business_unit_id,
        business_unit_name, 'E1', period_id, version, charge_id, 'LATE-1', 'A late invoice', -1.25
        from fct_charges_monthly
        where period_id = '2026-02' and service_id = 's0' and cost_centre_id like '%0';
    alter table rpt_bill_lines add column measured_amount decimal(38, 2);
    alter table rpt_bill_lines add column estimated_amount decimal(38, 2);
    alter table rpt_bill_lines add column stale_amount decimal(38, 2);
    alter table rpt_bill_lines add column fallback_amount decimal(38, 2);
    insert into rpt_bill_lines select scenario, period_id, 1, unit_id, 'Business unit ' || unit_id,
        centre_id, 'Cost centre ' || centre_id, 'E1', service_id,
        'Service number ' || service_id[2:], 'at_cost', 'Units used',
        case when quantity % 5 = 0 then 'estimated' else 'measured' end, quantity, 'unit',
        amount / quantity, amount, amount, amount, amount, amount, 0, 0, 0
        from used where scenario = 'actual' and period_id = '2026-03';
    insert into fct_charge_breakdown_monthly select scenario, period_id, 1, service_id, centre_id,
        unit_id, 'p' || p, 'Cost pool ' || p, cast(amount as decimal(38, 8)) / {pools}
        from used cross join range({pools}) as pools (p)
        where scenario = 'actual' and period_id = '2026-03';
"""


def main() -> int:
    """Measure and print; exit code 1 if the aim is missed at full size."""
    scale = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    units = max(1, round(UNITS * scale))
    with tempfile.TemporaryDirectory() as directory, duckdb.connect() as connection:
        publish(connection, units)
        clock, used = time.perf_counter(), read_processor_seconds()
        figures = load_figures(connection, "2026-03")
        figures = replace(figures, bridges=invent_bridges(figures), why_no_bridge="")
        statements, failed = make_statements(figures, list(figures.units))
        read = read_processor_seconds() - used
        written = []
        for result in render_statements(statements, Path(directory), PROCESSES):
            if isinstance(result, FailedStatement):
                failed.append(result)
            else:
                written.append(result)
        used, clock = read_processor_seconds() - used, time.perf_counter() - clock
        if failed:
            raise RuntimeError(f"not written: {failed[0].message}")
        total = sum(file.total for file in written)
        print(f"{len(written)} statements of {total:,.2f} in {directory}")
        print(f"a statement: {describe_sizes(written)}")
    rate = PROCESSES * len(written) / used
    print(f"reading all figures: {read:.1f} s; a statement: {used / len(written):.3f} s")
    print(f"by the clock: {len(written) / clock:.1f} a second; {read_peak_mebibytes()} MiB at most")
    print(f"\n{'measure':<58}{'figure':>12}{'aim':>12}")
    mark = "" if rate >= AIM else "  missed"
    title = "statements a second on two processors"
    print(f"{title:<58}{rate:>10.1f} /{AIM:>11.1f}{mark}")
    return 1 if rate < AIM and scale >= 1 else 0


def publish(connection: duckdb.DuckDBPyConnection, units: int) -> None:
    """Marts of so many units, as a publication has them."""
    create_tables(connection)
    connection.execute(USE.format(units=units, centres=CENTRES, services=SERVICES))
    for statement in MARTS.format(services=SERVICES, pools=POOLS).split(";"):
        if statement.strip():
            connection.execute(statement)


def invent_bridges(figures: PeriodFigures) -> dict[str, UnitBridge]:
    """Bridges that tie: of each change, half is volume, a quarter rate, and the rest mix."""
    bridges = {}
    assert figures.previous is not None
    nothing = Decimal("0.00")
    for unit in figures.units:
        services = []
        for service, now in figures.amounts[unit].items():
            before = figures.previous.amounts[unit][service].charged
            change = now.charged - before
            volume = (change / 2).quantize(Decimal("0.01"))
            rate = (change / 4).quantize(Decimal("0.01"))
            terms = dict.fromkeys(UNIT_TERMS, nothing)
            terms |= {"volume": volume, "rate": rate, "mix": change - volume - rate}
            services.append(ServiceBridge(service, now.name, before, now.charged, terms, terms))
        bridges[unit] = UnitBridge(
            unit,
            sum((item.before for item in services), nothing),
            sum((item.after for item in services), nothing),
            {term: sum((item.terms[term] for item in services), nothing) for term in UNIT_TERMS},
            tuple(services),
        )
    return bridges


def read_processor_seconds() -> float:
    """Processor time of this process and of those that it has waited for."""
    own, others = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime


def read_peak_mebibytes() -> int:
    """The largest that one of the processes was."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(item).ru_maxrss for item in who) // 1024


def describe_sizes(written: list[BillFiles]) -> str:
    """Pages and bytes of the first one."""
    from pypdf import PdfReader

    first = written[0]
    sizes = [f"{path.suffix[1:]} {path.stat().st_size // 1024} KiB" for path in first.paths]
    return f"{len(PdfReader(first.pdf).pages)} pages, {', '.join(sizes)}"


if __name__ == "__main__":
    sys.exit(main())
