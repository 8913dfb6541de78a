"""The figures that a pack is written from: the frozen file of a closed version, or what is
published where the period is not closed yet.

A closed version is opened only if its manifest is the one that the books name and its DuckDB file
has the bytes that the manifest names. The connection is in memory, reads one attached file and is
then locked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.close.figures import read_figures
from pipelines.close.manifest import hash_manifest, parse_manifest
from pipelines.close.period_states import PeriodState, refuse_other_figures
from pipelines.errors import ControlError
from pipelines.warehouse.closed_periods import MANIFEST_NAME, find_directory, name_close
from pipelines.warehouse.publication import hash_file, read_publication

if TYPE_CHECKING:
    import duckdb

    from pipelines.workspace.workspace import Workspace

NAME = "figures"


@dataclass(frozen=True)
class FrozenFigures:
    """A connection to the figures of one version of a period."""

    connection: duckdb.DuckDBPyConnection
    period_id: str
    tables: frozenset[str]
    """Schema and name, such as `marts.rpt_certificate`."""

    def has(self, table: str) -> bool:
        """Whether the file has the table: one that was frozen earlier may have fewer."""
        return table in self.tables

    def read(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query; `$period` in it is the period."""
        parameters = {"period": self.period_id} if "$period" in sql else {}
        return self.connection.execute(sql, parameters).fetchall()

    def read_period(self, table: str, columns: str, order: str) -> list[tuple[Any, ...]]:
        """The rows of a table that belong to the actual figures of the period."""
        if not self.has(table):
            return []
        return self.read(
            f"select {columns} from {table} "
            f"where scenario_id = 'actual' and period_id = $period order by {order}"
        )


@contextmanager
def open_closed(workspace: Workspace, state: PeriodState) -> Iterator[tuple[FrozenFigures, bytes]]:
    """The frozen figures of a closed version, and the bytes of its manifest.

    Raises ControlError where they are not what was closed.
    """
    name = name_close(state.period_id, state.version)
    directory = find_directory(workspace, state.period_id, state.version)
    content = _read_manifest(directory / MANIFEST_NAME, state)
    database = directory / f"{name}.duckdb"
    files = {file.name: file for file in parse_manifest(content).files}
    if not database.is_file() or hash_file(database) != files[database.name].sha256:
        raise ControlError(
            f"{database}: expected the bytes that were frozen, found others. No evidence is "
            "written of figures that are not those that were closed: see 'apportion verify'."
        )
    with _open(database, state.period_id) as figures:
        yield figures, content


@contextmanager
def open_preview(workspace: Workspace, state: PeriodState) -> Iterator[FrozenFigures]:
    """What is published of a period that is not closed. Raises ControlError where those are other
    figures than the ones that were calculated."""
    publication = read_publication(workspace)
    (opened,) = [file for file in publication.files if file.role == "open"]
    with _open(workspace.warehouse / opened.name, state.period_id) as figures:
        figures.connection.execute("set search_path = 'figures.marts'")
        refuse_other_figures(state, read_figures(figures.connection, state.period_id))
        yield figures


def _read_manifest(path: Path, state: PeriodState) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ControlError(
            f"{path}: the manifest of the close cannot be read ({error.strerror}). Restore it from "
            "a backup; 'apportion verify' says what else is missing."
        ) from None
    if hash_manifest(content) != state.manifest_hash:
        raise ControlError(
            f"{path}: expected the manifest {state.manifest_hash}, found "
            f"{hash_manifest(content)}. It was changed after the close: see 'apportion verify'."
        )
    return content


@contextmanager
def _open(database: Path, period_id: str) -> Iterator[FrozenFigures]:
    import duckdb

    with duckdb.connect() as connection:
        path = str(database).replace("'", "''")
        connection.execute(f"attach '{path}' as {NAME} (read_only)")
        connection.execute(f"use {NAME}")
        connection.execute("set enable_external_access = false")
        rows = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() where database_name = ?",
            [NAME],
        ).fetchall()
        yield FrozenFigures(connection, period_id, frozenset(row[0] for row in rows))
