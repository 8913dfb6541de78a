"""What a build needs of the closed periods to post corrections: read from their frozen files.

A note is the difference between a restated charge and what was charged and posted so far. Both are
taken from the frozen files and from nowhere else, so that a note that stands in a closed period
stays as it was and is never posted twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipelines.warehouse.closed_periods import attach_closed
from pipelines.warehouse.publication import PublishedFile

if TYPE_CHECKING:
    import duckdb

    from pipelines.warehouse.pins import Pins
    from pipelines.workspace.workspace import Workspace

BILL_ITEMS = "fct_bill_items_monthly"
CORRECTIONS = "rpt_corrections"
REASON = "late or corrected deliveries: "

MONEY = "decimal(38, 8)"
POSTING = {"scenario_id": "varchar", "period_id": "varchar", "version": "integer"}
CLOSED = {"period_id": "varchar", "closed_version": "integer"}
ORIGIN = {"origin_period_id": "varchar", "origin_version": "integer"}
TERMS = (
    *("ledger_change_amount", "recovery_account_amount", "out_of_scope_amount"),
    *("capitalised_amount", "quarantined_amount", "unmapped_amount", "unallocated_amount"),
    *("idle_amount", "showback_amount", "price_amount", "note_amount"),
)
TABLES: dict[str, dict[str, str]] = {
    "closed_periods": CLOSED,
    "restatements": {**CLOSED, "reason": "varchar"},
    "frozen_charges": {
        **CLOSED,
        **dict.fromkeys(("charge_id", "service_id", "cost_centre_id", "disposition"), "varchar"),
        "charged_amount": MONEY,
    },
    "frozen_certificates": {
        **CLOSED,
        "identity_id": "varchar",
        "term_id": "varchar",
        "amount_cents": MONEY,
    },
    "posted_notes": {
        **POSTING,
        **dict.fromkeys(("bill_item_id", "service_id", "cost_centre_id"), "varchar"),
        **ORIGIN,
        **dict.fromkeys(("origin_charge_id", "reference_id", "reason"), "varchar"),
        "amount": "decimal(28, 2)",
    },
    "posted_corrections": {
        **POSTING,
        **ORIGIN,
        "reason": "varchar",
        "note_count": "bigint",
        **dict.fromkeys(TERMS, MONEY),
    },
}
"""Columns and types of the tables, by name."""


def read_posted_periods(
    connection: duckdb.DuckDBPyConnection, workspace: Workspace, closed: Sequence[PublishedFile]
) -> tuple[tuple[str, int], ...]:
    """Closed periods (with their closed version) for which a closed period holds notes."""
    kept = {(str(file.period_id), int(file.version or 1)) for file in closed}
    found = set()
    for file, database in attach_closed(connection, workspace, closed):
        if _has_table(connection, database, BILL_ITEMS):
            found.update(
                connection.execute(
                    f"select distinct origin_period_id, origin_version "
                    f"from {database}.marts.{BILL_ITEMS} "
                    "where item_kind = 'correction' and period_id = ?",
                    [file.period_id],
                ).fetchall()
            )
    return tuple(sorted(found & kept))


def create_restatement_tables(
    connection: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    closed: Sequence[PublishedFile],
    pins: Pins,
) -> None:
    """Create the tables of TABLES in schema `model`, empty where nothing is closed."""
    for name, columns in TABLES.items():
        body = ", ".join(f"{column} {type_}" for column, type_ in columns.items())
        connection.execute(f"create or replace table model.{name} ({body})")
    for file, database in attach_closed(connection, workspace, closed):
        connection.execute(
            "insert into model.closed_periods values (?, ?)", [file.period_id, file.version]
        )
        if file.period_id in pins.restated:
            _copy(connection, "frozen_charges", f"{database}.marts.fct_charges_monthly", file)
            _copy(connection, "frozen_certificates", f"{database}.marts.rpt_certificate", file)
        if _has_table(connection, database, BILL_ITEMS):
            _copy(
                connection,
                "posted_notes",
                f"(from {database}.marts.{BILL_ITEMS} where item_kind = 'correction')",
                file,
            )
        if _has_table(connection, database, CORRECTIONS):
            _copy(connection, "posted_corrections", f"{database}.marts.{CORRECTIONS}", file)
    for period_id, version in pins.restated.items():
        reason = _say_reason(connection, period_id, pins.list_changed_files(period_id))
        connection.execute(
            "insert into model.restatements values (?, ?, ?)", [period_id, version, reason]
        )


def _copy(
    connection: duckdb.DuckDBPyConnection, table: str, relation: str, file: PublishedFile
) -> None:
    """The rows of the file's own period."""
    columns = ", ".join("version" if name == "closed_version" else name for name in TABLES[table])
    connection.execute(
        f"insert into model.{table} select {columns} from {relation} as frozen "
        "where scenario_id = 'actual' and period_id = ?",
        [file.period_id],
    )


def _has_table(connection: duckdb.DuckDBPyConnection, database: str, table: str) -> bool:
    """Files that were frozen before a mart was there do not have it."""
    row = connection.execute(
        "select count(*) from duckdb_tables() where database_name = ? and schema_name = 'marts' "
        "and table_name = ?",
        [database, table],
    ).fetchone()
    return row is not None and row[0] > 0


def _say_reason(connection: duckdb.DuckDBPyConnection, period_id: str, files: Sequence[str]) -> str:
    """The files that no posted note has named yet; all of them where each was named."""
    rows = connection.execute(
        "select distinct reason from model.posted_notes where origin_period_id = ?", [period_id]
    ).fetchall()
    named = {name for (text,) in rows for name in str(text).removeprefix(REASON).split(", ")}
    new = [name for name in files if name not in named] or list(files)
    return REASON + (", ".join(new) or "those named before count no more")
