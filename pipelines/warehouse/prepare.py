"""Fill a fresh warehouse file with what dbt reads: the lake, the rules, the periods to build."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.checks.upstream import find_unusable_columns
from pipelines.contracts.contract import load_contract_in
from pipelines.contracts.periods import Periods
from pipelines.cost_model.compile import RunStamp, compile_tables, write_tables
from pipelines.cost_model.load import CostModel
from pipelines.errors import ControlError
from pipelines.warehouse.adjustments import Adjustment, create_adjustments
from pipelines.warehouse.closed_periods import refuse_moved_periods
from pipelines.warehouse.lake_views import (
    ActiveLoad,
    create_lake_views,
    create_load_tables,
    select_loads,
)
from pipelines.warehouse.limit_checks import (
    refuse_converted_amounts,
    refuse_priced_quantities,
)
from pipelines.warehouse.notices import create_notices
from pipelines.warehouse.pins import NO_PINS, Pins, settle_pins, write_pins
from pipelines.warehouse.preconditions import (
    refuse_broken_years,
    refuse_lines_outside_calendar,
    refuse_lines_without_measure,
    refuse_missing_rates,
    refuse_negative_quantities,
)
from pipelines.warehouse.publication import PublishedFile
from pipelines.warehouse.restatements import create_restatement_tables, read_posted_periods
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    import duckdb

    from pipelines.checks.upstream import UpstreamFinding
    from pipelines.workspace.config import WorkspaceConfig


@dataclass(frozen=True)
class BuildInput:
    """All that goes into a build, and the hash of it."""

    loads: list[ActiveLoad]
    model: CostModel
    stamp: RunStamp
    reopened: dict[str, int] = field(default_factory=dict)
    """Periods that are built in a later version than the first."""
    pins: Pins = NO_PINS
    """What closed periods read instead of the loads."""
    closed: tuple[PublishedFile, ...] = ()
    """The frozen files of the closed periods, in order."""
    adjustments: tuple[Adjustment, ...] = ()
    """What was accepted of disputes, and what finance adjusts."""


def prepare(workspace: Workspace, given: BuildInput, database: Path, deliveries: Path) -> None:
    """Create the new file: views on the lake, the compiled rules, the periods to build."""
    import duckdb

    config = workspace.config
    with duckdb.connect(str(database)) as connection:
        pins = _settle_pins(connection, workspace, given)
        create_lake_views(connection, given.loads, pins=pins, clock=config.clock)
        tables = compile_tables(config, given.model, given.stamp)
        write_tables(connection, tables, workspace.evidence / given.stamp.run_id / "model")
        refuse_moved_periods(connection, workspace, given.closed)
        create_load_tables(connection, given.loads, _list_measures(config))
        write_pins(connection, pins)
        create_adjustments(connection, given.adjustments)
        _create_findings(connection, workspace, find_unusable_columns(deliveries))
        refuse_lines_outside_calendar(connection, workspace)
        create_notices(connection, config)
        _create_period_versions(connection, config.control_total.source_ids, config.calendar.spans)
        refuse_broken_years(connection, workspace)
        refuse_missing_rates(connection, workspace)
        refuse_negative_quantities(connection)
        refuse_lines_without_measure(connection, workspace)
        refuse_converted_amounts(connection, workspace)
        refuse_priced_quantities(connection, workspace)
        _set_versions(connection, given.reopened, pins.restated)
        create_restatement_tables(connection, workspace, given.closed, pins)


def _list_measures(config: WorkspaceConfig) -> dict[str, str]:
    """By cloud bill, which of its costs ties."""
    return {
        source_id: source.detail_feed.measure
        for source_id, source in config.sources.items()
        if source.detail_feed is not None and source.contract == "cloud_bill"
    }


def _settle_pins(
    connection: duckdb.DuckDBPyConnection, workspace: Workspace, given: BuildInput
) -> Pins:
    """The pins whose periods really differ, and the periods for which notes were posted before."""
    if not given.closed:
        return NO_PINS
    settled = settle_pins(
        connection,
        given.pins,
        given.loads,
        workspace.config.clock,
        lambda contract_id, loads: select_loads(connection, contract_id, loads),
    )
    return replace(settled, also_restated=read_posted_periods(connection, workspace, given.closed))


def _set_versions(
    connection: duckdb.DuckDBPyConnection,
    reopened: Mapping[str, int],
    restated: Mapping[str, int],
) -> None:
    """Later versions of actual periods; restated periods have the version that they restate."""
    for period_id, version in reopened.items():
        connection.execute(
            "update model.period_versions set version = ? "
            "where scenario_id = 'actual' and period_id = ?",
            [version, period_id],
        )
    connection.execute("delete from model.period_versions where scenario_id = 'restated'")
    for period_id, version in restated.items():
        connection.execute(
            "insert into model.period_versions values ('restated', ?, ?, 'open')",
            [period_id, version],
        )


def _create_findings(
    connection: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    findings: tuple[UpstreamFinding, ...],
) -> None:
    """Columns that came broken are open items; a control total must not stand on one of them."""
    connection.execute(
        "create or replace table model.findings (contract_id varchar, scope_name varchar, "
        "column_name varchar, sentence varchar)"
    )
    for item in findings:
        feed = workspace.config.sources[item.source_id].detail_feed
        if feed is not None and item.column in (feed.measure, feed.consumers_pay):
            raise ControlError(
                f"source '{item.source_id}' stands on {item.column}, which came unusable: "
                f"{item.sentence} {item.remedy}"
            )
        connection.execute(
            "insert into model.findings values (?, ?, ?, ?)",
            [item.contract_id, item.scope, item.column, f"{item.sentence} {item.remedy}"],
        )


def _create_period_versions(
    connection: duckdb.DuckDBPyConnection, control_sources: tuple[str, ...], periods: Periods
) -> None:
    """Every (scenario, period) that has cost, in its open version. A period whose records are all
    in quarantine was delivered, too."""
    moment = load_contract_in("cloud_bill", periods).period_field
    connection.execute(
        f"""
        create or replace table model.period_versions as
        select distinct scenario_id, period_id, cast(1 as integer) as version, 'open' as state
        from (
            select _scenario_id as scenario_id, period_id from lake.general_ledger
            where list_contains($sources, _source_id)
                or _scenario_id not in ('actual', 'restated')
            union all
            select budget._scenario_id, coalesce(phasing.period_id, budget.period_id)
            from lake.budget as budget
            left join model.phasing as phasing
                on budget._source_id = phasing.source_id
                and budget.period_id = phasing.delivered_period_id
            union all
            select bill._scenario_id, periods.period_id
            from lake.cloud_bill as bill
            inner join model.periods as periods
                on bill.{moment} >= periods.period_start
                and bill.{moment} < periods.period_end
            where list_contains($sources, bill._source_id)
            union all
            select loads.scenario_id, periods.period_id
            from model.quarantine as quarantine
            inner join model.loads as loads using (source_id, file_id)
            inner join model.periods as periods using (period_id)
            where (loads.scenario_id = 'actual' and list_contains($sources, source_id))
                or (loads.scenario_id <> 'actual'
                    and loads.contract_id in ('general_ledger', 'budget'))
        )
        order by all
        """,
        {"sources": list(control_sources)},
    )
