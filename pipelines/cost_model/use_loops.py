"""Find services that the rule files let pass cost only to each other, so that it never leaves IT.

Who uses a service is known here where the files say it: by the receivers that its split names, and
by typed-in tables of drivers.yml with `receivers: service`. What deliveries measure is not known: a
service that is shared by measured use counts as a way out, and so does one that nobody pays for.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from pipelines.cost_model.driver_tables import TableRow
from pipelines.cost_model.reference_checks import RuleFile
from pipelines.cost_model.rule_order import Periods
from pipelines.cost_model.rule_spans import holds_on
from pipelines.cost_model.schema import Drivers, Service, Services
from pipelines.cost_model.splits import SERVICE_PREFIX

Tables = dict[str, list[TableRow]]
"""Driver whose receivers are services -> its quantities."""


def check_loops(
    file: RuleFile, services: Services, drivers: Drivers, rows: list[TableRow], periods: Periods
) -> None:
    """Collect in `file`, that of the services, each such group once, at its first service."""
    tables: Tables = {
        driver.id: [row for row in rows if row.driver_id == driver.id and row.quantity]
        for driver in drivers.drivers
        if driver.table is not None and driver.table.receivers == "service"
    }
    found: dict[tuple[str, ...], str] = {}
    for period_id, start in periods:
        receivers = {
            service.id: names
            for service in services.services
            if (names := _list_receivers(service, tables, start))
        }
        for group in _find_closed(receivers):
            found.setdefault(tuple(group), period_id)
        if not any(table for table in tables.values()):
            break  # What the splits name holds at any time.
    places = {service.id: index for index, service in enumerate(services.services)}
    for members, period_id in sorted(found.items()):
        first = min(members, key=lambda name: places.get(name, 0))
        file.complain(
            ("services", places.get(first, 0)),
            f"from {period_id} on a loop with no consumer: {', '.join(members)} pass their cost "
            "only to each other, so that it never leaves IT",
            first,
            "Let consumers pay for one of them.",
            expected="at least one receiver outside the loop",
            found=", ".join(members),
        )


def _list_receivers(service: Service, tables: Tables, day: date) -> list[str]:
    """The services that get all of its cost; empty where others may get some, or nobody does."""
    if service.split is None:
        return list(_list_typed_in(service, service.driver, tables, day))
    found: list[str] = []
    for part in (service.split, service.split.residual):
        if part is None:
            continue
        if part.driver is not None:
            typed_in = list(_list_typed_in(service, part.driver, tables, day))
            if not typed_in:
                return []
            found += typed_in
            continue
        named = [*(part.to or []), *(getattr(part, "shares", None) or {})]
        if not all(name.startswith(SERVICE_PREFIX) for name in named):
            return []
        found += [name.removeprefix(SERVICE_PREFIX) for name in named]
    return found


def _list_typed_in(
    service: Service, driver_id: str | None, tables: Tables, day: date
) -> Iterator[str]:
    for row in tables.get(driver_id or "", []):
        if row.sender_id in (None, service.id) and holds_on(row, day):
            yield row.receiver_id


def _find_closed(receivers: dict[str, list[str]]) -> list[list[str]]:
    from pipelines.allocation.service_graph import find_closed_groups, make_graph

    if not receivers:
        return []
    edges = [(sender, "service", name, 1) for sender, names in receivers.items() for name in names]
    # What a receiver without known receivers of its own does with its cost is not known here.
    outside = {name for names in receivers.values() for name in names} - set(receivers)
    edges += [(name, "consumer", "?", 1) for name in sorted(outside)]
    return find_closed_groups(make_graph(edges, "services.yml"))
