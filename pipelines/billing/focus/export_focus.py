"""Write the bills of a period as files of FOCUS, or nothing.

The files are written into a hidden directory beside their place, synced, read back and checked;
only then the directory gets its name. So a reader never meets files that fail, or half of them. A
closed period gives the same bytes whenever it is exported by the same program.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.billing.focus.bill_tables import BillTables, Issue, load_bill_tables
from pipelines.billing.focus.check_files import BrokenFocusError, check_directory
from pipelines.billing.focus.columns import CURRENT, Column, find_datasets
from pipelines.books.books import Books
from pipelines.close.period_states import PeriodState, list_steps, read_state
from pipelines.errors import ControlError
from pipelines.warehouse.publication import sync_directory
from pipelines.warehouse.reader import open_published
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

EXPORTS_NAME = "exports"
SQL_TYPES = {"string": "varchar", "json": "varchar", "datetime": "timestamptz"}
DATE_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class FocusExport:
    """Files that were written and checked."""

    directory: Path
    bills: BillTables
    focus_version: str
    is_preview: bool


def export_focus(
    workspace: Workspace,
    books: Books,
    period_id: str,
    focus_version: str = CURRENT,
    directory: Path | None = None,
    *,
    is_preview: bool = False,
) -> FocusExport:
    """Write the bills of a period into a directory of its own in `directory`, by default
    `exports/`: every dataset as CSV and Parquet.

    Raises UsageError for a version that is not written, ControlError where the period is not closed
    and no preview is asked for, BrokenFocusError where the files do not pass their checks.
    """
    find_datasets(focus_version)
    with books.read() as connection:
        state = read_state(connection, period_id)
        steps = list_steps(connection, period_id)
    if state.state != "closed" and not is_preview:
        raise ControlError(
            f"{period_id} is {state.state}: only the bills of a closed period are issued. "
            "'--preview' writes files to look at, whose invoices are open."
        )
    taken = [step["taken_at"] for step in steps]
    with open_published(workspace) as marts:
        issue = _describe_issue(marts, state, taken, is_preview=is_preview)
        settings = workspace.config.focus
        bills = load_bill_tables(marts, settings, period_id, focus_version, issue)
    preview = "_preview" if is_preview else ""
    name = f"{period_id}_v{bills.version}_focus_{focus_version}{preview}"
    target = (directory or workspace.root / EXPORTS_NAME) / name
    write_checked(bills, focus_version, target)
    return FocusExport(target, bills, focus_version, is_preview)


def _describe_issue(
    marts: duckdb.DuckDBPyConnection, state: PeriodState, taken: list[str], *, is_preview: bool
) -> Issue:
    """A period is there since its first step, and an open one since its run."""
    row = marts.execute("select strftime(built_at, ?) from dim_run", [DATE_TIME]).fetchone()
    assert row is not None
    closed_at = _to_seconds(state.closed_at) if state.closed_at and not is_preview else None
    updated_at = closed_at or row[0]
    return Issue(min([*map(_to_seconds, taken), updated_at]), updated_at, closed_at)


def _to_seconds(time: str) -> str:
    """A time of the books, UTC with microseconds, as FOCUS writes times."""
    return f"{time[:19]}Z"


def write_checked(bills: BillTables, focus_version: str, target: Path) -> None:
    """Put the files of the bills at `target`, in place of earlier ones, if all checks pass."""
    hidden = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    replaced = target.with_name(f".{target.name}.{os.getpid()}.old")
    shutil.rmtree(hidden, ignore_errors=True)
    hidden.mkdir(parents=True)
    try:
        write_files(bills, focus_version, hidden)
        problems = check_directory(hidden, bills.invoices)
        if problems:
            raise BrokenFocusError(f"{target.name} was not written", problems)
        if target.exists():
            target.rename(replaced)
        hidden.rename(target)
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
        shutil.rmtree(replaced, ignore_errors=True)
    sync_directory(target.parent)


def write_files(bills: BillTables, focus_version: str, directory: Path) -> None:
    """Every dataset as CSV and Parquet, unchecked, synced to disk."""
    import duckdb

    with duckdb.connect() as connection:
        # A date becomes midnight UTC, wherever the program runs; one thread keeps the bytes.
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set threads = 1")
        for dataset, columns in find_datasets(focus_version).items():
            connection.register("rows", bills.tables[dataset])
            selected = _select(columns, bills.tables[dataset])
            for ending, query in (
                ("parquet", f"select {', '.join(selected.values())} from rows"),
                ("csv", _select_text(columns, selected)),
            ):
                path = directory / f"{dataset}.{ending}"
                options = "format parquet" if ending == "parquet" else "format csv, header"
                quoted = str(path).replace("'", "''")
                connection.execute(f"copy ({query}) to '{quoted}' ({options})")
                with path.open("rb") as file:
                    os.fsync(file.fileno())
    sync_directory(directory)


def _select(columns: tuple[Column, ...], rows: pa.Table) -> dict[str, str]:
    """Column -> its SQL over `rows`; one without values is there as well, in its type."""
    found = set(rows.column_names)
    selected = {}
    for column in columns:
        sql_type = SQL_TYPES.get(column.type, "decimal(38, 12)")
        if column.name not in found:
            expression = f"cast(null as {sql_type})"
        elif column.type == "decimal":
            expression = f'"{column.name}"'
        else:
            expression = f'cast("{column.name}" as {sql_type})'
        selected[column.name] = f'{expression} as "{column.name}"'
    return selected | {name: f'"{name}"' for name in rows.column_names if name.startswith("x_")}


def _select_text(columns: tuple[Column, ...], selected: dict[str, str]) -> str:
    """The same as texts, for CSV: ISO 8601 for a date-time."""
    times = {column.name for column in columns if column.type == "datetime"}
    shown = [
        f'strftime("{name}", \'{DATE_TIME}\') as "{name}"' if name in times else f'"{name}"'
        for name in selected
    ]
    return f"select {', '.join(shown)} from (select {', '.join(selected.values())} from rows)"
