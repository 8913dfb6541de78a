"""Check that a driver is used where its receivers receive.

Each kind of driver has receivers of one kind, whatever is delivered: seats belong to cost centres,
effort to services. At another stop it has no quantity, and the money there would be held. Services
receive from a service only where the method for shared services lets them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipelines.cost_model.reference_checks import RuleFile
from pipelines.cost_model.schema import (
    Allocation,
    Driver,
    Drivers,
    ServiceRule,
    Services,
    TowerRule,
    Towers,
)
from pipelines.cost_model.splits import AnySplit
from pipelines.workspace.yaml_files import Path_

TOWER_RULE, SERVICE_RULE = "a tower rule", "a service rule"
SERVICE = "a service of the catalogue"

PLACES = {
    ("tower", "cost_centre"): TOWER_RULE,
    ("service", "tower"): SERVICE_RULE,
    ("service", "service"): SERVICE,
    ("consumer", "service"): SERVICE,
}
"""(kind of receiver, kind of sender) -> where a sender's money is split over such receivers."""

KIND_PLACES: dict[str, tuple[str, ...]] = {
    "service_usage": (SERVICE,),
    "licence_seats": (SERVICE,),
    "headcount": (SERVICE,),
    "ticket_count": (SERVICE,),
    "ticket_effort": (SERVICE_RULE, SERVICE),
    "timesheet_hours_by_tower": (TOWER_RULE,),
    "timesheet_hours_by_service": (SERVICE_RULE,),
    "asset_capacity": (SERVICE_RULE, SERVICE),
    "cloud_cost": (SERVICE_RULE, SERVICE),
    "commitment_use": (SERVICE_RULE, SERVICE),
    "prior_allocation": (SERVICE_RULE,),
}
"""Kind of driver -> where it can have quantities; a table says its receivers itself."""
TO_SERVICES = ("ticket_effort", "asset_capacity")
"""Kinds whose receivers are services only, also where a service is split."""


def check_driver_places(
    files: dict[str, RuleFile],
    towers: Towers,
    services: Services,
    allocation: Allocation,
    drivers: Drivers,
) -> None:
    """Complain about each rule and service whose driver can have no quantity there."""
    known = {driver.id: driver for driver in drivers.drivers}
    uses = [
        *_list_rules("towers.yml", TOWER_RULE, towers.rules),
        *_list_rules("allocation.yml", SERVICE_RULE, allocation.rules),
        *_list_services(services),
    ]
    for file, path, user_id, driver_id, place in uses:
        places = _list_places(known.get(driver_id or ""), allocation)
        if places is not None and place not in places:
            found = f"the driver '{driver_id}' has no quantity for {place}"
            remedy = f"It is a driver of {' or '.join(sorted(places))}."
            files[file].complain(path, found, user_id, remedy)


Use = tuple[str, Path_, str, str | None, str]
"""(file, place in it, rule or service, driver, where its money is split)."""


def _list_rules(file: str, place: str, rules: Sequence[TowerRule | ServiceRule]) -> Iterator[Use]:
    for index, rule in enumerate(rules):
        for path, driver in _list_drivers(("rules", index, "split"), rule.split):
            yield file, path, rule.id, driver, place


def _list_services(services: Services) -> Iterator[Use]:
    for index, item in enumerate(services.services):
        path: Path_ = ("services", index)
        yield "services.yml", (*path, "driver"), item.id, item.driver, SERVICE
        for place, driver in _list_drivers((*path, "split"), item.split):
            yield "services.yml", place, item.id, driver, SERVICE


def _list_drivers(path: Path_, split: AnySplit | None) -> Iterator[tuple[Path_, str | None]]:
    """The driver of a split and that of its residual; what could not be read has none."""
    if split is None:
        return
    yield (*path, "driver"), split.driver
    if split.residual is not None:
        yield (*path, "residual", "driver"), split.residual.driver


def _list_places(driver: Driver | None, allocation: Allocation) -> set[str] | None:
    """Where the driver can be used; None where nothing is known about it."""
    if driver is None:
        return None
    if driver.table is None:
        places = set(KIND_PLACES.get(driver.kind, ()))
        is_direct = allocation.shared_services.method == "direct"
        return places - {SERVICE} if is_direct and driver.kind in TO_SERVICES else places
    return {
        place
        for (receivers, senders), place in PLACES.items()
        if receivers == driver.table.receivers and driver.table.senders in (None, senders)
    }
