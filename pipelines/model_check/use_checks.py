"""What was measured of the use of services: use below zero, and loops without a way out.

Reads the deliveries that count now, so it answers also for a workspace that was never built, or
whose build was refused for the reason that is looked for. Use counts as it does in the build: in
the unit of the service, for services whose driver is of the kind service_usage. A service that is
shared by another driver or by fixed shares counts as a way out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pipelines.cost_model.compile_splits import find_deciding_driver
from pipelines.cost_model.load import CostModel
from pipelines.cost_model.splits import find_driver
from pipelines.model_check.finding import ModelFinding, join_names, join_periods
from pipelines.model_check.stops import FindPlace

if TYPE_CHECKING:
    import duckdb

    from pipelines.allocation.service_graph import Edge
    from pipelines.warehouse.lake_views import ActiveLoad

CONTRACT = "service_usage"
SHOWN_NAMES = 5
WEIGHT_DECIMALS = 6

USE = """
    select
        usage._scenario_id as scenario_id,
        usage.period_id,
        usage.service_id,
        services.driver_id,
        services.may_be_negative,
        usage.receiver_kind,
        usage.receiver_id,
        sum(usage.quantity) as quantity
    from lake.service_usage as usage
    inner join services
        on usage.service_id = services.service_id and usage.unit_code = services.unit_code
    group by all
"""


def check_use(
    loads: list[ActiveLoad], model: CostModel, find_place: FindPlace, calendar: Sequence[str]
) -> list[ModelFinding]:
    """Use below zero, and services that use only each other, in what has landed."""
    import duckdb

    from pipelines.warehouse.lake_views import create_lake_views

    with duckdb.connect(":memory:") as connection:
        create_lake_views(connection, loads, (CONTRACT,))
        _create_services(connection, model)
        connection.execute(f"create table measured as {USE}")
        return [
            *_find_negative(connection, find_place, calendar),
            *_find_loops(connection, model, find_place, calendar),
        ]


def _create_services(connection: duckdb.DuckDBPyConnection, model: CostModel) -> None:
    """The services that are shared by measured use, and whether it may be below zero."""
    kinds = {driver.id: driver.kind for driver in model.drivers.drivers}
    connection.execute(
        "create table services (service_id varchar, driver_id varchar, unit_code varchar, "
        "may_be_negative boolean)"
    )
    for service in model.services.services:
        driver_id, _ = find_deciding_driver(service)
        if driver_id is not None and kinds[driver_id] == CONTRACT:
            part = find_driver(service.split) if service.split else None
            may_be_negative = part is not None and part.negative != "refuse"
            values = [service.id, driver_id, service.unit, may_be_negative]
            connection.execute("insert into services values (?, ?, ?, ?)", values)


def _find_negative(
    connection: duckdb.DuckDBPyConnection, find_place: FindPlace, calendar: Sequence[str]
) -> Iterator[ModelFinding]:
    rows = connection.execute(
        """
        select
            scenario_id,
            driver_id,
            list(distinct period_id),
            list(distinct service_id || ' by ' || receiver_id),
            min(quantity)
        from measured
        where quantity < 0 and not may_be_negative
        group by scenario_id, driver_id
        order by driver_id, scenario_id
        """
    ).fetchall()
    for scenario_id, driver_id, periods, uses, smallest in rows:
        named = join_names(sorted(uses), SHOWN_NAMES)
        yield ModelFinding(
            "error",
            "Use below zero",
            find_place("drivers", driver_id),
            driver_id,
            f"in {join_periods(periods, calendar)} the use of {named}, "
            f"down to {smallest.normalize():f}",
            "quantities of 0 or more",
            "Correct the delivery, or say with 'negative' in the split how it counts.",
            scenario_id,
            min(periods),
        )


def _find_loops(
    connection: duckdb.DuckDBPyConnection,
    model: CostModel,
    find_place: FindPlace,
    calendar: Sequence[str],
) -> Iterator[ModelFinding]:
    """Services that pass their cost only among themselves, with the periods in which they do."""
    from pipelines.allocation.service_graph import find_closed_groups, make_graph

    found: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (scenario_id, period_id), edges in sorted(_read_edges(connection).items()):
        for group in find_closed_groups(make_graph(edges, period_id)):
            found.setdefault((scenario_id, tuple(group)), []).append(period_id)
    is_refused = model.allocation.shared_services.method == "reciprocal"
    for (scenario_id, names), periods in sorted(found.items()):
        outcome = "the build is refused" if is_refused else "their money is not allocated"
        yield ModelFinding(
            "error" if is_refused else "warning",
            "Loop with no consumer",
            find_place("services", names[0]),
            names[0],
            f"in {join_periods(periods, calendar)} {', '.join(names)} are used only by each "
            f"other, so that their cost never leaves IT: {outcome}",
            "at least one consumer, or a service that has one",
            "Deliver who uses them besides, or share one of them by another driver.",
            scenario_id,
            min(periods),
        )


def _read_edges(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], list[Edge]]:
    """Use by scenario and period. A service without measured use of its own is a way out."""
    rows = connection.execute(
        f"""
        select
            scenario_id,
            period_id,
            service_id,
            receiver_kind,
            receiver_id,
            cast(quantity * {10**WEIGHT_DECIMALS} as hugeint)
        from measured
        where quantity >= 0.000001
        order by all
        """
    ).fetchall()
    edges: dict[tuple[str, str], list[Edge]] = {}
    for scenario_id, period_id, *edge in rows:
        edges.setdefault((scenario_id, period_id), []).append(tuple(edge))
    for found in edges.values():
        senders = {edge[0] for edge in found}
        receivers = {edge[2] for edge in found if edge[1] == "service"}
        found += [(name, "consumer", "?", 1) for name in sorted(receivers - senders)]
    return edges
