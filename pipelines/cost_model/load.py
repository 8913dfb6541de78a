"""Read a workspace's cost model and check it as a whole, before anything is computed.

Every problem of all five files is reported at once, with file, line and rule id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from pipelines.cost_model.schema import (
    Allocation,
    Drivers,
    Pools,
    Services,
    Split,
    Towers,
)
from pipelines.errors import ConfigurationError, Problem
from pipelines.workspace.workspace import Workspace
from pipelines.workspace.yaml_files import Path_, find_line, parse_yaml_model

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class CostModel:
    """The rules of one workspace, read and checked."""

    pools: Pools
    towers: Towers
    services: Services
    allocation: Allocation
    drivers: Drivers


@dataclass
class _File:
    """One rule file on the way to being checked: where its nodes stand, what is wrong."""

    name: str
    lines: dict[Path_, int]
    problems: list[Problem] = field(default_factory=list)

    def complain(self, path: Path_, message: str, rule_id: str, remedy: str) -> None:
        where = f"{self.name}:{find_line(self.lines, path)}"
        self.problems.append(Problem(where, f"{rule_id}: {message}", remedy=remedy))


def load_cost_model(workspace: Workspace) -> CostModel:
    """Read and check the five files. Raises ConfigurationError with all problems."""
    problems: list[Problem] = []
    files: dict[str, _File] = {}

    def read(name: str, model: type[Model]) -> Model | None:
        path = workspace.cost_model / name
        value, found, lines = parse_yaml_model(path, model, root=workspace.root)
        problems.extend(found)
        files[name] = _File(f"{workspace.cost_model.name}/{name}", lines)
        return value

    pools = read("pools.yml", Pools)
    towers = read("towers.yml", Towers)
    services = read("services.yml", Services)
    allocation = read("allocation.yml", Allocation)
    drivers = read("drivers.yml", Drivers)
    if problems or not (pools and towers and services and allocation and drivers):
        raise ConfigurationError(problems)
    model = CostModel(pools, towers, services, allocation, drivers)
    _check_model(model, files, _feeds_define_services(workspace))
    problems = [problem for file in files.values() for problem in file.problems]
    if problems:
        raise ConfigurationError(problems)
    return model


def hash_cost_model(directory: Path) -> dict[str, str]:
    """SHA-256 of each rule file by name."""
    import hashlib

    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.glob("*.yml"))
    }


def _feeds_define_services(workspace: Workspace) -> bool:
    feeds = (source.detail_feed for source in workspace.config.sources.values())
    return any(feed is not None and feed.defines_services for feed in feeds)


def _check_model(model: CostModel, files: dict[str, _File], feeds_define_services: bool) -> None:
    pools = {pool.id for pool in model.pools.pools}
    towers = {tower.id for tower in model.towers.towers}
    services = {service.id for service in model.services.services}
    drivers = {driver.id: driver for driver in model.drivers.drivers}
    _check_unique(files["pools.yml"], "pools", model.pools.pools)
    _check_unique(files["towers.yml"], "towers", model.towers.towers)
    _check_unique(files["services.yml"], "services", model.services.services)
    _check_unique(files["drivers.yml"], "drivers", model.drivers.drivers)
    for name, rules in (
        ("pools.yml", model.pools.rules),
        ("towers.yml", model.towers.rules),
        ("allocation.yml", model.allocation.rules),
    ):
        _check_unique(files[name], "rules", rules)
        _check_priorities(files[name], rules)
    for index, pool_rule in enumerate(model.pools.rules):
        if pool_rule.pool is not None and pool_rule.pool not in pools:
            path = ("rules", index, "pool")
            _complain_unknown(files["pools.yml"], path, pool_rule.id, "pool", pool_rule.pool, pools)
    for index, tower_rule in enumerate(model.towers.rules):
        place = ("rules", index, "split")
        _check_split(files["towers.yml"], place, tower_rule.id, tower_rule.split, towers, drivers)
    known = services if not feeds_define_services else None
    for index, service_rule in enumerate(model.allocation.rules):
        place = ("rules", index, "split")
        _check_split(
            files["allocation.yml"],
            place,
            service_rule.id,
            service_rule.split,
            known,
            drivers,
        )
    for index, service in enumerate(model.services.services):
        path = ("services", index, "driver")
        if service.driver is not None and service.driver not in drivers:
            file = files["services.yml"]
            _complain_unknown(file, path, service.id, "driver", service.driver, set(drivers))
        if service.fallback == "even" and not service.consumers:
            files["services.yml"].complain(
                path,
                "fallback even needs 'consumers'",
                service.id,
                "Name globs of cost centres.",
            )
    _check_order(files["allocation.yml"], model, services)


def _check_unique(file: _File, key: str, items: Iterable[Any]) -> None:
    counts = Counter(item.id for item in items)
    for index, item in enumerate(items):
        if counts[item.id] > 1:
            path = (key, index, "id")
            file.complain(path, f"the id occurs {counts[item.id]} times", item.id, "Rename one.")


def _check_priorities(file: _File, rules: Iterable[Any]) -> None:
    """Two rules of one priority that hold at one time would match in no defined order."""
    seen: dict[int, Any] = {}
    for index, rule in enumerate(rules):
        other = seen.setdefault(rule.priority, rule)
        if other is not rule and _overlap(other, rule):
            file.complain(
                ("rules", index, "priority"),
                f"has priority {rule.priority}, as has rule {other.id} at the same time",
                rule.id,
                "Give every rule a priority of its own; the lowest number matches first.",
            )


def _overlap(first: Any, second: Any) -> bool:
    ends_before = first.valid_to and second.valid_from and first.valid_to <= second.valid_from
    starts_after = first.valid_from and second.valid_to and second.valid_to <= first.valid_from
    return not (ends_before or starts_after)


def _check_split(
    file: _File,
    path: Path_,
    rule_id: str,
    split: Split,
    receivers: set[str] | None,
    drivers: dict[str, Any],
) -> None:
    for receiver in [*(split.to or []), *(split.shares or {})]:
        if receivers is not None and receiver not in receivers:
            _complain_unknown(file, path, rule_id, "receiver", receiver, receivers)
    if split.driver is not None and split.driver not in drivers:
        _complain_unknown(file, (*path, "driver"), rule_id, "driver", split.driver, set(drivers))


def _check_order(file: _File, model: CostModel, services: set[str]) -> None:
    shared = model.allocation.shared_services
    place: Path_ = ("shared_services", "order")
    for service_id in shared.order:
        if service_id not in services:
            _complain_unknown(file, place, "shared_services", "service", service_id, services)
    if shared.method == "step_down":
        missing = [
            service.id
            for service in model.services.services
            if service.is_shared and service.id not in shared.order
        ]
        if missing:
            file.complain(
                place,
                f"step_down needs every shared service in its order; missing: {', '.join(missing)}",
                "shared_services",
                "Add them where they pass their cost on.",
            )


def _complain_unknown(
    file: _File, path: Path_, rule_id: str, kind: str, found: str, known: set[str]
) -> None:
    from difflib import get_close_matches

    close = get_close_matches(found, known, n=1)
    hint = f"Is '{close[0]}' meant?" if close else f"Known: {', '.join(sorted(known)[:12])}."
    file.complain(path, f"unknown {kind} '{found}'", rule_id, hint)
