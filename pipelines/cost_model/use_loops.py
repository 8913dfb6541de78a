"""Find services that by typed-in quantities use only each other: their cost never leaves IT.

A table of drivers.yml with `receivers: service` has no consumers. Services that share their cost by
such tables, and by them only among each other, are a loop with no consumer. What deliveries measure
is not known here: a service that is shared by any other driver counts as a way out.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.cost_model.driver_tables import TableRow
from pipelines.cost_model.reference_checks import RuleFile
from pipelines.cost_model.rule_order import Periods
from pipelines.cost_model.rule_spans import holds_on
from pipelines.cost_model.schema import Drivers, Services


def check_typed_loops(
    file: RuleFile, services: Services, drivers: Drivers, rows: list[TableRow], periods: Periods
) -> None:
    """Collect in `file`, that of the services, each such group once, at its first service."""
    tables = {
        driver.id
        for driver in drivers.drivers
        if driver.table is not None and driver.table.receivers == "service"
    }
    places = {service.id: index for index, service in enumerate(services.services)}
    found: dict[tuple[str, ...], str] = {}
    by_driver = {service.id: service.driver for service in services.services}
    for period_id, start in periods if tables else ():
        edges = [
            (sender, row.receiver_id)
            for row in rows
            if row.driver_id in tables and row.quantity and holds_on(row, start)
            for sender in _list_senders(row, by_driver)
        ]
        for group in _find_closed(edges):
            found.setdefault(tuple(group), period_id)
    for names, period_id in sorted(found.items()):
        first = min(names, key=lambda name: places.get(name, 0))
        file.complain(
            ("services", places.get(first, 0), "driver"),
            f"from {period_id} on a loop with no consumer: {', '.join(names)} share their cost "
            "only among themselves, so that it never leaves IT",
            first,
            "Let one of them be shared by a driver with consumers.",
            expected="at least one receiver outside the loop",
            found=", ".join(names),
        )


def _list_senders(row: TableRow, by_driver: dict[str, str | None]) -> Iterator[str]:
    """The services whose cost the row splits: its sender, or all that are shared by its driver."""
    for service_id, driver_id in by_driver.items():
        if driver_id == row.driver_id and row.sender_id in (None, service_id):
            yield service_id


def _find_closed(edges: list[tuple[str, str]]) -> list[list[str]]:
    from pipelines.allocation.service_graph import find_closed_groups, make_graph

    senders = {sender for sender, _ in edges}
    weighed = [(sender, "service", receiver, 1) for sender, receiver in edges]
    # What a receiver without edges of its own does with its cost is not known here.
    outside = {receiver for _, receiver in edges} - senders
    weighed += [(receiver, "consumer", "?", 1) for receiver in sorted(outside)]
    return find_closed_groups(make_graph(weighed, "drivers.yml")) if weighed else []
