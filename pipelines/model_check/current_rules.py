"""Put the rules as they are now in the place of those of the published run, in memory.

The published money is matched again with the compiled SQL of its run (`pipelines.rerun`), so that a
check of the rules and the build cannot differ in what a rule matches.
"""

from __future__ import annotations

from pipelines.cost_model.compile import RunStamp, compile_tables, create_tables
from pipelines.cost_model.load import CostModel
from pipelines.rerun.engine import Rerun
from pipelines.workspace.config import WorkspaceConfig

# What identifies a run is not a rule.
STAMP_COLUMNS = "run_id, fingerprint, built_at, code_version"
CURRENT_SCHEMA = "current_rules"


def replace_rules(rerun: Rerun, config: WorkspaceConfig, model: CostModel) -> list[str]:
    """Replace every table of the rules that differs; the names of those that did."""
    tables = compile_tables(config, model, RunStamp("", "", None, ""))
    create_tables(rerun.connection, tables, CURRENT_SCHEMA)
    changed = [name for name in tables if _differs(rerun, name)]
    for name in changed:
        rerun.replace(f"model.{name}", _select_current(name))
    return changed


def _differs(rerun: Rerun, name: str) -> bool:
    """Whether the rows are others, in whatever order they stand."""
    columns = f"* exclude ({STAMP_COLUMNS})" if name == "settings" else "*"
    old = f"select {columns} from model.{name}"
    new = f"select {columns} from {CURRENT_SCHEMA}.{name}"
    row = rerun.connection.execute(
        f"select exists (({old}) except all ({new})) or exists (({new}) except all ({old}))"
    ).fetchone()
    return row is not None and bool(row[0])


def _select_current(name: str) -> str:
    if name != "settings":
        return f"select * from {CURRENT_SCHEMA}.{name}"
    return (
        f"select stamps.*, rules.* exclude ({STAMP_COLUMNS}) "
        f"from (select {STAMP_COLUMNS} from {{relation}}) as stamps "
        f"cross join {CURRENT_SCHEMA}.settings as rules"
    )
