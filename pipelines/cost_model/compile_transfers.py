"""Compile the transfers between legal entities of apportion.yml into the table that bills read."""

from __future__ import annotations

from pipelines.cost_model.compile_tagging import Row, Table
from pipelines.workspace.config import WorkspaceConfig

PERCENT = "decimal(28, 10)"


def compile_transfers(config: WorkspaceConfig) -> Table:
    """One row per pair of legal entities and span of time; empty where none is declared."""
    columns = (
        "from_legal_entity_id varchar, to_legal_entity_id varchar, "
        f"mark_up_percent {PERCENT}, tax_percent {PERCENT}, reason varchar, valid_from date, "
        "valid_to date"
    )
    rows: list[Row] = [
        (
            item.from_entity,
            item.to_entity,
            item.mark_up_percent,
            item.tax_percent,
            item.reason,
            item.valid_from,
            item.valid_to,
        )
        for item in config.transfers
    ]
    return columns, rows
