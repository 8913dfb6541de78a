"""Fill a fresh warehouse file with what dbt reads: the lake, the rules, the periods to build."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.checks.upstream import find_unusable_columns
from pipelines.cost_model.compile import RunStamp, compile_tables, write_tables
from pipelines.cost_model.load import CostModel
from pipelines.errors import ControlError
from pipelines.warehouse.adjustments import Adjustment, create_adjustments
from pipelines.warehouse.lake_views import ActiveLoad, create_lake_views, create_load_tables
from pipelines.warehouse.preconditions import (
    refuse_lines_outside_calendar,
    refuse_missing_rates,
    refuse_negative_quantities,
)
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    import duckdb

    from pipelines.checks.upstream import UpstreamFinding


@dataclass(frozen=True)
class BuildInput:
    """All that goes into a build, and the hash of it."""

    loads: list[ActiveLoad]
    model: CostModel
    stamp: RunStamp
    reopened: dict[str, int] = field(default_factory=dict)
    """Periods that are built in a later version than the first."""
    adjustments: tuple[Adjustment, ...] = ()
    """What was accepted of disputes, and what finance adjusts."""


def prepare(workspace: Workspace, given: BuildInput, database: Path, deliveries: Path) -> None:
    """Create the new file: views on the lake, the compiled rules, the periods to build."""
    import duckdb

    with duckdb.connect(str(database)) as connection:
        create_lake_views(connection, given.loads)
        tables = compile_tables(workspace.config, given.model, given.stamp)
        write_tables(connection, tables, workspace.evidence / given.stamp.run_id / "model")
        create_load_tables(connection, given.loads)
        create_adjustments(connection, given.adjustments)
        _create_findings(connection, workspace, find_unusable_columns(deliveries))
        refuse_lines_outside_calendar(connection, workspace)
        refuse_missing_rates(connection, workspace)
        refuse_negative_quantities(connection)
        _create_period_versions(connection, workspace.config.control_total.source)
        for period_id, version in given.reopened.items():
            connection.execute(
                "update model.period_versions set version = ? "
                "where scenario_id = 'actual' and period_id = ?",
                [version, period_id],
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


def _create_period_versions(connection: duckdb.DuckDBPyConnection, control_source: str) -> None:
    """Every (scenario, period) that has cost, in its open version."""
    connection.execute(
        """
        create or replace table model.period_versions as
        select distinct scenario_id, period_id, cast(1 as integer) as version, 'open' as state
        from (
            select _scenario_id as scenario_id, period_id from lake.general_ledger
            where _source_id = $source or _scenario_id <> 'actual'
            union all
            select _scenario_id, period_id from lake.budget
            union all
            select bill._scenario_id, periods.period_id
            from lake.cloud_bill as bill
            inner join model.periods as periods
                on bill.billing_period_start >= periods.period_start
                and bill.billing_period_start < periods.period_end
            where bill._source_id = $source
        )
        order by all
        """,
        {"source": control_source},
    )
