"""The pictures of a trace: which routes its money took, by the names that people know.

From a charge: cost lines (summed by account and vendor), towers, services, the charge line. From a
source: the source, towers, the services that it reached, the services through which it was charged,
business units or what else became of it.
"""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from typing import TYPE_CHECKING

from pipelines.allocation.flow_picture import Route, draw_flow
from pipelines.allocation.money_paths import Cell, Way
from pipelines.allocation.trace import to_decimal

if TYPE_CHECKING:
    import duckdb

    from pipelines.allocation.source_trace import SourceTrace
    from pipelines.allocation.trace import Trace, TracedLine


def draw_charge(connection: duckdb.DuckDBPyConnection, trace: Trace) -> str:
    """The picture of a trace from a charge, as SVG."""
    towers, services = _read_names(connection)
    ways: dict[Cell, list[tuple[Way, Fraction]]] = defaultdict(list)
    for way, share in trace.ways:
        ways[way.cell].append((way, share))
    routes: dict[tuple[str, ...], Fraction] = defaultdict(Fraction)
    charge = f"{trace.service_name} for {trace.cost_centre_name}"
    for line in trace.lines:
        for way, share in ways[line.cell]:
            names = (
                _name_line(line),
                towers.get(way.tower_id, way.tower_id),
                services.get(way.direct_service_id, way.direct_service_id),
                charge,
            )
            routes[names] += Fraction(line.line_amount) * share
    return draw_flow(
        f"What {trace.service_name} for {trace.cost_centre_name} is made of",
        f"{trace.period_id}, {trace.scenario_id}: {trace.amount:,.2f} {trace.currency_code}",
        ("Cost line", "Tower", "Service that it reached", "Charge line"),
        [Route(names, amount) for names, amount in routes.items()],
        trace.currency_code,
    )


def draw_source(connection: duckdb.DuckDBPyConnection, trace: SourceTrace) -> str:
    """The picture of a trace from a source, as SVG."""
    towers, services = _read_names(connection)
    source = trace.source
    name = source.name
    short = name if source.row_number is None else f"record {source.row_number}"
    routes: dict[tuple[str, ...], Fraction] = defaultdict(Fraction)
    for path in trace.paths:
        names = (
            short,
            towers.get(path.tower_id, path.tower_id),
            services.get(path.direct_service_id, path.direct_service_id),
            services.get(path.service_id, path.service_id),
            path.business_unit_name,
        )
        routes[names] += path.part
    return draw_flow(
        f"Where {name} went",
        f"{source.figures.period_id}, {source.figures.scenario_id}: "
        f"{to_decimal(source.amount, 2):,.2f} {trace.currency_code}",
        ("Source", "Tower", "Service that it reached", "Service that is charged", "Business unit"),
        [Route(names, amount) for names, amount in routes.items()],
        trace.currency_code,
    )


def _name_line(line: TracedLine) -> str:
    return " ".join(
        text for text in (line.account_id, line.vendor_name or line.description) if text
    )


def _read_names(connection: duckdb.DuckDBPyConnection) -> tuple[dict[str, str], dict[str, str]]:
    """Names of towers and services by id. A name that two ids share is told apart by them."""
    queries = (
        "select tower_id, tower_name || coalesce(' / ' || nullif(sub_tower_name, ''), '') "
        "from model.towers",
        "select service_id, service_name from dim_services",
    )
    found = []
    for query in queries:
        names = dict(connection.execute(query).fetchall())
        texts = list(names.values())
        found.append(
            {
                key: name if texts.count(name) == 1 else f"{name} ({key})"
                for key, name in names.items()
            }
        )
    return found[0], found[1]
