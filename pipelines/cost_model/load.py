"""Read a workspace's cost model and check it as a whole, before anything is computed.

Every problem of all files is reported at once, with file, line and rule id; a rule whose form is
wrong does not hide what is wrong besides (`rule_files`). The files named in OPTIONAL may be left
out; a workspace without `tagging.yml` maps its cloud bill by what the detail feed says. The
quantities of typed-in drivers are read with the rules (`driver_tables`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from pipelines.cost_model.crosswalk import Crosswalk, check_crosswalk
from pipelines.cost_model.driver_checks import check_driver_places
from pipelines.cost_model.driver_tables import TableRow, read_driver_tables
from pipelines.cost_model.policy_checks import check_policies
from pipelines.cost_model.rate_card import RateCard, check_rate_card
from pipelines.cost_model.reference_checks import RuleFile, check_references, list_service_ids
from pipelines.cost_model.rule_files import read_rule_file
from pipelines.cost_model.rule_order import check_order
from pipelines.cost_model.schema import (
    Allocation,
    Drivers,
    Pools,
    Services,
    Towers,
)
from pipelines.cost_model.tagging import Tagging
from pipelines.cost_model.tagging_checks import check_tagging
from pipelines.cost_model.tbm_names import check_tbm_names
from pipelines.cost_model.use_loops import check_loops
from pipelines.errors import ConfigurationError, Problem
from pipelines.workspace.config import WorkspaceConfig
from pipelines.workspace.workspace import Workspace

FORMS: dict[str, type[BaseModel]] = {
    "pools": Pools,
    "towers": Towers,
    "services": Services,
    "allocation": Allocation,
    "drivers": Drivers,
    "tagging": Tagging,
    "rate_card": RateCard,
    "crosswalk": Crosswalk,
}
"""Name of a rule file without its ending -> its form. Part of CostModel under the same name."""

OPTIONAL = frozenset({"tagging", "rate_card", "crosswalk"})


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
    rate_card: RateCard | None = None
    crosswalk: Crosswalk | None = None


def load_cost_model(workspace: Workspace, directory: Path | None = None) -> CostModel:
    """Read and check the files, those of another `directory` where one is given. Raises
    ConfigurationError with all problems, those of apportion.yml among them."""
    directory = directory or workspace.cost_model
    config, problems = _read_config(workspace)
    models, files = _read_files(directory)
    found: list[Problem] = []
    if config is not None and all(models.values()):
        model = CostModel(**models)
        rows, found = _check_model(directory, config, model, files)
        model = replace(model, driver_rows=rows)
    for file in files.values():
        problems += sorted(file.problems, key=_find_place)
    problems += found
    if problems or config is None:
        raise ConfigurationError(problems)
    return model


def _read_files(directory: Path) -> tuple[dict[str, Any], dict[str, RuleFile]]:
    """Each file as it can be read, by its name without ending, and what is wrong with its form."""
    models: dict[str, Any] = {}
    files: dict[str, RuleFile] = {}
    for name, form in FORMS.items():
        path = directory / f"{name}.yml"
        if path.exists() or name not in OPTIONAL:
            models[name], files[f"{name}.yml"] = read_rule_file(path, form, directory.parent)
    return models, files


def _check_model(
    directory: Path, config: WorkspaceConfig, model: CostModel, files: dict[str, RuleFile]
) -> tuple[list[TableRow], list[Problem]]:
    """Collect in `files` what does not fit together; the typed-in quantities and their problems."""
    check_references(
        config, model.pools, model.towers, model.services, model.allocation, model.drivers, files
    )
    check_driver_places(files, model.towers, model.services, model.allocation, model.drivers)
    periods = [(period_id, start) for period_id, start, *_ in config.calendar.periods()]
    check_order(files["pools.yml"], model.pools.rules, periods)
    check_order(files["towers.yml"], model.towers.rules, periods)
    check_order(files["allocation.yml"], model.allocation.rules, periods)
    service_ids = list_service_ids(config, model.services)
    if "tagging.yml" in files:
        check_tagging(files["tagging.yml"], model.tagging, service_ids, config)
    check_tbm_names(files, model.pools, model.towers, model.services)
    if model.rate_card is not None:
        file = files["rate_card.yml"]
        check_rate_card(file, model.rate_card, model.services, service_ids, periods)
    check_policies(files["services.yml"], model.services, model.rate_card, periods)
    if model.crosswalk is not None:
        file = files["crosswalk.yml"]
        check_crosswalk(file, model.crosswalk, model.pools, model.towers, service_ids)
    known = {"tower": {tower.id for tower in model.towers.towers}, "service": service_ids}
    rows, found = read_driver_tables(directory, model.drivers.drivers, known)
    check_loops(files["services.yml"], model.services, model.drivers, rows, periods)
    return rows, found


def _find_place(problem: Problem) -> int:
    """The line of a problem in its file; 0 where it is about the file."""
    line = problem.file.rpartition(":")[2]
    return int(line) if line.isdigit() else 0


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
