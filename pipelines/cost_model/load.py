"""Read a workspace's cost model and check it as a whole, before anything is computed.

Every problem of all files is reported at once, with file, line and rule id. `tagging.yml` may be
left out; a workspace without it maps its cloud bill by what the detail feed says. The quantities of
typed-in drivers are read with the rules (`driver_tables`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from pipelines.cost_model.driver_tables import TableRow, read_driver_tables
from pipelines.cost_model.reference_checks import RuleFile, check_references, list_service_ids
from pipelines.cost_model.schema import (
    Allocation,
    Drivers,
    Pools,
    Services,
    Towers,
)
from pipelines.cost_model.tagging import Tagging
from pipelines.cost_model.tagging_checks import check_tagging
from pipelines.errors import ConfigurationError, Problem
from pipelines.workspace.config import WorkspaceConfig
from pipelines.workspace.workspace import Workspace
from pipelines.workspace.yaml_files import parse_yaml_model

Model = TypeVar("Model", bound=BaseModel)

TAGGING_NAME = "tagging.yml"


@dataclass(frozen=True)
class CostModel:
    """The rules of one workspace, read and checked."""

    pools: Pools
    towers: Towers
    services: Services
    allocation: Allocation
    drivers: Drivers
    tagging: Tagging = field(default_factory=Tagging)
    driver_rows: list[TableRow] = field(default_factory=list)
    """Quantities of the drivers of the kind `table`."""


def load_cost_model(workspace: Workspace) -> CostModel:
    """Read and check the files. Raises ConfigurationError with all problems, those of
    apportion.yml among them."""
    config, problems = _read_config(workspace)
    files: dict[str, RuleFile] = {}

    def read(name: str, model: type[Model]) -> Model | None:
        path = workspace.cost_model / name
        value, found, lines = parse_yaml_model(path, model, root=workspace.root)
        problems.extend(found)
        files[name] = RuleFile(f"{workspace.cost_model.name}/{name}", lines)
        return value

    pools = read("pools.yml", Pools)
    towers = read("towers.yml", Towers)
    services = read("services.yml", Services)
    allocation = read("allocation.yml", Allocation)
    drivers = read("drivers.yml", Drivers)
    has_tagging = (workspace.cost_model / TAGGING_NAME).exists()
    tagging = read(TAGGING_NAME, Tagging) if has_tagging else Tagging()
    if problems or not (config and pools and towers and services and allocation and drivers):
        raise ConfigurationError(problems)
    check_references(config, pools, towers, services, allocation, drivers, files)
    service_ids = list_service_ids(config, services)
    if has_tagging and tagging is not None:
        check_tagging(files[TAGGING_NAME], tagging, service_ids, config)
    known = {"tower": {tower.id for tower in towers.towers}, "service": service_ids}
    rows, found = read_driver_tables(workspace.cost_model, drivers.drivers, known)
    problems = [problem for file in files.values() for problem in file.problems] + found
    if problems:
        raise ConfigurationError(problems)
    return CostModel(pools, towers, services, allocation, drivers, tagging or Tagging(), rows)


def hash_cost_model(directory: Path) -> dict[str, str]:
    """SHA-256 of each rule file by name, those of typed-in drivers among them."""
    import hashlib

    paths = [*sorted(directory.glob("*.yml")), *sorted(directory.glob("drivers/*.csv"))]
    return {
        path.relative_to(directory).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
    }


def _read_config(workspace: Workspace) -> tuple[WorkspaceConfig | None, list[Problem]]:
    try:
        return workspace.config, []
    except ConfigurationError as error:
        return None, list(error.problems)
