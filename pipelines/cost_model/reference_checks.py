"""Check the rule files against each other: ids, priorities, and everything that a rule names.

The typed forms in `schema` say what one entry may look like; this says whether the files fit
together. Problems are collected in the file that they are to be corrected in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

from pipelines.cost_model.rule_spans import overlap
from pipelines.cost_model.schema import (
    Allocation,
    Driver,
    Drivers,
    Pools,
    Service,
    Services,
    Towers,
)
from pipelines.cost_model.splits import SERVICE_PREFIX, AnySplit, SplitPart, find_driver
from pipelines.errors import Problem
from pipelines.workspace.config import WorkspaceConfig
from pipelines.workspace.yaml_files import Path_, find_line

KNOWN_SHOWN = 12
# Kinds of drivers that say who used one service.
USE_OF_ONE_SERVICE = ("service_usage", "licence_seats", "ticket_count")


@dataclass
class RuleFile:
    """One rule file on the way to being checked: where its nodes stand, what is wrong."""

    name: str
    lines: dict[Path_, int]
    problems: list[Problem] = field(default_factory=list)

    def complain(
        self,
        path: Path_,
        message: str,
        rule_id: str,
        remedy: str,
        *,
        expected: str | None = None,
        found: str | None = None,
    ) -> None:
        """Note one problem at the node of `path`."""
        where = f"{self.name}:{find_line(self.lines, path)}"
        self.problems.append(
            Problem(where, message, expected=expected, found=found, remedy=remedy, rule_id=rule_id)
        )

    def require_known(
        self, path: Path_, rule_id: str, kind: str, found: str, known: Collection[str]
    ) -> None:
        """Note a problem if `found` is none of the known ids of that kind; empty: told already."""
        if not found or found in known:
            return
        close = get_close_matches(found, known, n=1)
        listed = ", ".join(sorted(known)[:KNOWN_SHOWN]) or "none"
        remedy = f"Is '{close[0]}' meant?" if close else f"Known: {listed}."
        expected = f"a {kind} that is declared"
        self.complain(path, f"unknown {kind} '{found}'", rule_id, remedy, expected=expected)

    def require_matches(
        self, path: Path_, rule_id: str, kind: str, globs: list[str] | None, known: Collection[str]
    ) -> None:
        """Note a problem for each glob that none of the known ids matches: its rule is dead."""
        for index, glob in enumerate(globs or []):
            if not any(fnmatchcase(item, glob) for item in known):
                self.require_known((*path, index), rule_id, kind, glob, known)


def check_references(
    config: WorkspaceConfig,
    pools: Pools,
    towers: Towers,
    services: Services,
    allocation: Allocation,
    drivers: Drivers,
    files: dict[str, RuleFile],
) -> None:
    """Collect in `files` all that does not fit together."""
    pool_ids = {pool.id for pool in pools.pools}
    tower_ids = {tower.id for tower in towers.towers}
    known_drivers = {driver.id: driver for driver in drivers.drivers}
    check_unique(files["drivers.yml"], ("drivers",), drivers.drivers)
    _check_pools(files["pools.yml"], pools, pool_ids, config)
    _check_towers(files["towers.yml"], towers, pool_ids, tower_ids, known_drivers, config)
    _check_services(files["services.yml"], services, known_drivers)
    file = files["allocation.yml"]
    service_ids = list_service_ids(config, services)
    check_rules(file, allocation.rules)
    for index, rule in enumerate(allocation.rules):
        place: Path_ = ("rules", index)
        file.require_matches(
            (*place, "match", "tower"), rule.id, "tower", rule.match.tower, tower_ids
        )
        file.require_matches((*place, "match", "pool"), rule.id, "pool", rule.match.pool, pool_ids)
        _check_split(file, place, rule.id, rule.split, service_ids, known_drivers)
    _check_order(file, allocation, services)
    _check_declared_receivers(files["services.yml"], allocation, services)


def list_service_ids(config: WorkspaceConfig, services: Services) -> set[str] | None:
    """Ids of the catalogue; None where a detail feed defines more of them, not known yet."""
    feeds = (source.detail_feed for source in config.sources.values())
    if any(feed is not None and feed.defines_services for feed in feeds):
        return None
    return {service.id for service in services.services}


def _check_pools(file: RuleFile, pools: Pools, pool_ids: set[str], config: WorkspaceConfig) -> None:
    check_unique(file, ("pools",), pools.pools)
    check_rules(file, pools.rules)
    for index, rule in enumerate(pools.rules):
        if rule.pool is not None:
            file.require_known(("rules", index, "pool"), rule.id, "pool", rule.pool, pool_ids)
        place = ("rules", index, "match", "source")
        file.require_matches(place, rule.id, "source", rule.match.source, config.sources)


def _check_towers(
    file: RuleFile,
    towers: Towers,
    pool_ids: set[str],
    tower_ids: set[str],
    drivers: dict[str, Driver],
    config: WorkspaceConfig,
) -> None:
    check_unique(file, ("towers",), towers.towers)
    check_rules(file, towers.rules)
    for index, rule in enumerate(towers.rules):
        place: Path_ = ("rules", index)
        match = (*place, "match")
        file.require_matches((*match, "pool"), rule.id, "pool", rule.match.pool, pool_ids)
        source = rule.match.source
        file.require_matches((*match, "source"), rule.id, "source", source, config.sources)
        _check_split(file, place, rule.id, rule.split, tower_ids, drivers)


def _check_services(file: RuleFile, services: Services, drivers: dict[str, Driver]) -> None:
    check_unique(file, ("services",), services.services)
    for index, service in enumerate(services.services):
        place: Path_ = ("services", index)
        check_unique(file, (*place, "offerings"), service.offerings)
        if service.fallback == "even" and not service.consumers:
            remedy = "Name globs of cost centres."
            message = "fallback even needs 'consumers'"
            file.complain((*place, "fallback"), message, service.id, remedy)
        if service.driver is not None:
            path = (*place, "driver")
            file.require_known(path, service.id, "driver", service.driver, drivers)
            _check_unit(file, place, service, drivers.get(service.driver))
        if service.split is not None:
            known = {item.id for item in services.services}
            _check_service_split(file, place, service, known, drivers)


def _check_service_split(
    file: RuleFile,
    place: Path_,
    service: Service,
    known: set[str],
    drivers: dict[str, Driver],
) -> None:
    """Cost centres are known when they are delivered; services and drivers are known now."""
    assert service.split is not None
    for path, receiver in _list_receivers((*place, "split"), service.split):
        if receiver.startswith(SERVICE_PREFIX):
            found = receiver.removeprefix(SERVICE_PREFIX)
            file.require_known(path, service.id, "service", found, known)
    _check_drivers(file, place, service.id, service.split, drivers)
    part = find_driver(service.split)
    driver = drivers.get(part.driver or "") if part is not None else None
    _check_unit(file, place, service, driver)
    if service.split.method == "capacity" and driver is not None:
        _check_capacity(file, (*place, "split", "driver"), service, driver)


def _check_capacity(file: RuleFile, path: Path_, service: Service, driver: Driver) -> None:
    """Idle is what of its own capacity nobody used, so the use must be that of the service."""
    is_of_services = driver.table is not None and driver.table.senders == "service"
    if driver.kind not in USE_OF_ONE_SERVICE and not is_of_services:
        file.complain(
            path,
            f"capacity needs the use of this one service; '{driver.id}' is of kind {driver.kind}",
            service.id,
            f"Name a driver of kind {', '.join(USE_OF_ONE_SERVICE)}, or a table whose senders are "
            "services.",
        )


def _check_unit(file: RuleFile, place: Path_, service: Service, driver: Driver | None) -> None:
    if driver is not None and driver.unit and service.unit and driver.unit != service.unit:
        file.complain(
            (*place, "unit"),
            f"has the unit '{service.unit}', its driver '{driver.id}' counts '{driver.unit}'",
            service.id,
            "Give both the same unit.",
            expected=driver.unit,
            found=service.unit,
        )


def check_unique(file: RuleFile, place: Path_, items: Iterable[Any]) -> None:
    """No two items of the list at `place` have one id."""
    counts = Counter(item.id for item in items)
    for index, item in enumerate(items):
        if item.id and counts[item.id] > 1:
            message = f"the id occurs {counts[item.id]} times"
            file.complain((*place, index, "id"), message, item.id, "Rename one.")


def check_rules(file: RuleFile, rules: list[Any]) -> None:
    """Ids are unique, and no two rules of one priority hold at one time: they would match in no
    defined order."""
    check_unique(file, ("rules",), rules)
    by_priority: dict[int, list[Any]] = {}
    for index, rule in enumerate(rules):
        if rule.priority is None:
            continue
        others = by_priority.setdefault(rule.priority, [])
        for other in others:
            if overlap(other, rule):
                file.complain(
                    ("rules", index, "priority"),
                    f"has priority {rule.priority}, as has rule {other.id} at the same time",
                    rule.id,
                    "Give every rule a priority of its own; the lowest number matches first.",
                    expected="a priority of its own",
                    found=str(rule.priority),
                )
        others.append(rule)


def _check_split(
    file: RuleFile,
    place: Path_,
    rule_id: str,
    split: AnySplit,
    receivers: set[str] | None,
    drivers: dict[str, Driver],
) -> None:
    """`receivers` None: a detail feed defines them, so that they are not known yet."""
    if receivers is not None:
        for path, receiver in _list_receivers((*place, "split"), split):
            file.require_known(path, rule_id, "receiver", receiver, receivers)
    _check_drivers(file, place, rule_id, split, drivers)


def _check_drivers(
    file: RuleFile, place: Path_, rule_id: str, split: AnySplit, drivers: dict[str, Driver]
) -> None:
    for path, part in _list_parts((*place, "split"), split):
        if part.driver is not None:
            file.require_known((*path, "driver"), rule_id, "driver", part.driver, drivers)


def _list_parts(place: Path_, split: AnySplit) -> list[tuple[Path_, SplitPart]]:
    """The split and its residual, each with its place."""
    parts: list[tuple[Path_, SplitPart]] = [(place, split)]
    if split.residual is not None:
        parts.append(((*place, "residual"), split.residual))
    return parts


def _list_receivers(place: Path_, split: AnySplit) -> list[tuple[Path_, str]]:
    """Every receiver that a split names, with its place."""
    found: list[tuple[Path_, str]] = []
    for path, part in _list_parts(place, split):
        found += [((*path, "to", index), name) for index, name in enumerate(part.to or [])]
        found += [((*path, "weights", name), name) for name in part.weights or {}]
    return found + [((*place, "shares", name), name) for name in split.shares or {}]


def _check_order(file: RuleFile, allocation: Allocation, services: Services) -> None:
    shared = allocation.shared_services
    known = {service.id for service in services.services}
    place: Path_ = ("shared_services", "order")
    for index, service_id in enumerate(shared.order):
        path = (*place, index)
        file.require_known(path, "shared_services", "service", service_id, known)
        if service_id in shared.order[:index]:
            message = f"'{service_id}' stands in the order twice"
            file.complain(path, message, "shared_services", "Keep one of the places.")
    missing = [
        service.id
        for service in services.services
        if service.is_shared and service.id not in shared.order
    ]
    if shared.method == "step_down" and missing:
        message = (
            f"step_down needs every shared service in its order; missing: {', '.join(missing)}"
        )
        remedy = "Add them where they pass their cost on."
        file.complain(place, message, "shared_services", remedy)


def _check_declared_receivers(file: RuleFile, allocation: Allocation, services: Services) -> None:
    """A service that is declared to receive and may not would leave its share to the others."""
    shared = allocation.shared_services
    if shared.method == "reciprocal":
        return
    last = len(shared.order)
    position = {service_id: number for number, service_id in enumerate(shared.order)}
    for index, service in enumerate(services.services):
        if service.split is None:
            continue
        for path, receiver in _list_receivers(("services", index, "split"), service.split):
            found = receiver.removeprefix(SERVICE_PREFIX)
            if found == receiver or (
                shared.method == "step_down"
                and position.get(service.id, last) < position.get(found, last)
            ):
                continue
            file.complain(
                path,
                f"'{found}' may not receive: "
                + (
                    "the method direct passes no cost to services"
                    if shared.method == "direct"
                    else f"it is not after '{service.id}' in the order of step_down"
                ),
                service.id,
                "Change shared_services in allocation.yml, or name cost centres.",
            )
