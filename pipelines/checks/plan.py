"""What is to be checked: the sources with their thresholds, and all that the lake does not say.

A plan is plain data, so that it can be handed to the process that checks (see `process`), and so
that a check depends on nothing but the lake and its plan: the day on which it runs is part of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.contracts.contract import Contract, load_contract, load_contract_in
from pipelines.contracts.periods import MONTHS, Periods
from pipelines.workspace.check_settings import ResolvedChecks, resolve_checks

if TYPE_CHECKING:
    from pipelines.cost_model.load import CostModel
    from pipelines.warehouse.lake_views import ActiveLoad
    from pipelines.workspace.config import WorkspaceConfig


@dataclass(frozen=True)
class LandedFile:
    """One delivered file: its name for people and the day on which it landed (UTC)."""

    file_id: str
    file_name: str
    landed_date: date


@dataclass(frozen=True)
class CheckedSource:
    """One source, and what it is judged by."""

    source_id: str
    contract_id: str
    scenario_id: str = "actual"
    checks: ResolvedChecks = field(default_factory=ResolvedChecks)
    unique_key: tuple[str, ...] | None = None
    """The fields that identify a record of this source; () where its records may repeat, None
    where the key of the contract holds."""
    files: tuple[LandedFile, ...] = ()
    periods: Periods = MONTHS
    """Those of the workspace's calendar."""

    @property
    def title(self) -> str:
        """'General ledger' of 'general_ledger'."""
        return name_source(self.source_id)

    @property
    def contract(self) -> Contract:
        return load_contract_in(self.contract_id, self.periods)


@dataclass(frozen=True)
class CheckPlan:
    """All sources to check, and what is known beside the lake."""

    sources: tuple[CheckedSource, ...]
    today: date
    """The day on which the checks run; what 'overdue' means hangs on it."""
    control_source: str | None = None
    """The source of the control total, whose latest period the others are held against."""
    known_codes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Codes by master ('services', 'towers', 'units') that the cost model knows."""
    periods: Periods = MONTHS
    """Those of the workspace's calendar."""

    @property
    def contract_ids(self) -> tuple[str, ...]:
        """The contracts of the sources, in alphabetical order."""
        return tuple(sorted({source.contract_id for source in self.sources}))

    def source(self, source_id: str) -> CheckedSource:
        """The source of that name; KeyError if it is not in the plan."""
        return next(s for s in self.sources if s.source_id == source_id)


def name_source(source_id: str) -> str:
    """A source's name for people."""
    text = source_id.replace("_", " ")
    return text[:1].upper() + text[1:]


def make_plan(
    config: WorkspaceConfig,
    loads: Sequence[ActiveLoad],
    model: CostModel | None,
    today: date,
) -> CheckPlan:
    """The plan of a workspace: every source with a load, in the order of apportion.yml.

    Without a cost model the codes that only it knows are not judged.
    """
    spans = config.calendar.spans
    sources = tuple(
        CheckedSource(
            source_id,
            source.contract,
            source.scenario,
            resolve_checks(config.checks, source.checks),
            # A source may say that the key of its contract does not hold for it.
            source.unique_key,
            _list_files(own),
            spans,
        )
        for source_id, source in config.sources.items()
        if (own := [load for load in loads if load.source_id == source_id])
    )
    # Where a feed names the services, the cost model does not know all of them.
    feeds = [source.detail_feed for source in config.sources.values() if source.detail_feed]
    known = {} if model is None else _list_known_codes(model)
    if any(feed.defines_services for feed in feeds):
        known.pop("services", None)
    return CheckPlan(sources, today, config.control_total.source_ids[0], known, spans)


def _list_files(loads: Sequence[ActiveLoad]) -> tuple[LandedFile, ...]:
    return tuple(
        LandedFile(load.sha256, load.file_name, date.fromisoformat(load.landed_at[:10]))
        for load in loads
    )


def _list_known_codes(model: CostModel) -> dict[str, tuple[str, ...]]:
    services = model.services.services
    units = {item.unit for item in services} | {item.unit for item in model.drivers.drivers}
    return {
        "services": tuple(sorted(item.id for item in services)),
        "towers": tuple(sorted(item.id for item in model.towers.towers)),
        "units": tuple(sorted(units)),
    }


def plan_lake(lake_database: Path, contract_ids: Sequence[str], today: date) -> CheckPlan:
    """A plan without a workspace: every source that the lake has of these contracts, by default
    thresholds. A contract without records is a source of its own name."""
    import duckdb

    found: list[CheckedSource] = []
    with duckdb.connect(str(lake_database), read_only=True) as connection:
        for contract_id in contract_ids:
            load_contract(contract_id)
            rows = connection.execute(
                f"select distinct _source_id, _scenario_id from lake.{contract_id} order by all"
            ).fetchall()
            found += [CheckedSource(row[0], contract_id, row[1]) for row in rows]
            if not rows:
                found.append(CheckedSource(contract_id, contract_id))
    return CheckPlan(tuple(found), today)
