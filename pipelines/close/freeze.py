"""Freeze the published figures of a period into files of its own. dbt is not started: the rows are
those that were reviewed and approved, copied.

Tables with a scenario and a period give the rows of the actual scenario and of that period; what
has no period (the rules, the catalogue, the hierarchy) is copied whole, so that a close can be read
and understood without anything else.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.close.manifest import FrozenFile, FrozenTable
from pipelines.errors import ControlError
from pipelines.warehouse.closed_periods import PARQUET_NAME, name_close
from pipelines.warehouse.parquet_copy import copy_to_parquet
from pipelines.warehouse.publication import hash_file, sync_directory

if TYPE_CHECKING:
    import duckdb

BLOCK_BYTES = 16_384
READ_ONLY = 0o444
SUMMED = ("DECIMAL", "HUGEINT", "BIGINT", "INTEGER", "SMALLINT", "TINYINT", "UTINYINT")


@dataclass(frozen=True)
class FrozenPeriod:
    """What was written: the tables with their sums, and all files with their hashes."""

    tables: list[FrozenTable]
    files: list[FrozenFile]


def freeze_period(published: Path, directory: Path, period_id: str, version: int) -> FrozenPeriod:
    """Write the DuckDB file and the Parquet copies of a period to `directory`, synced to disk."""
    import duckdb

    name = name_close(period_id, version)
    target = directory / f"{name}.duckdb"
    (directory / PARQUET_NAME).mkdir(parents=True)
    with duckdb.connect() as connection:
        connection.execute(f"attach {_quote(published)} as published (read_only)")
        # A close has many small tables: with the usual blocks each column would take a quarter of
        # a megabyte.
        connection.execute(f"attach {_quote(target)} as frozen (block_size {BLOCK_BYTES})")
        tables = [
            _freeze_table(connection, directory, schema, table, period_id)
            for schema, table in _list_tables(connection)
        ]
        connection.execute("checkpoint frozen")
        connection.execute("detach frozen")
    if target.with_name(f"{target.name}.wal").exists():
        raise ControlError(f"{target.name} still has a write-ahead log after its checkpoint")
    paths = [target, *sorted((directory / PARQUET_NAME).iterdir())]
    for path in paths:
        seal_file(path)
    sync_directory(directory / PARQUET_NAME)
    files = [
        FrozenFile(str(path.relative_to(directory)), path.stat().st_size, hash_file(path))
        for path in paths
    ]
    return FrozenPeriod(tables, files)


def seal_file(path: Path) -> None:
    """Bring a file to disk and let nobody write it: no proof, but a barrier for who errs. The
    directories stay as they are, so that a close can be moved, copied and swept away."""
    path.chmod(READ_ONLY)
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sum_table(connection: duckdb.DuckDBPyConnection, relation: str, name: str) -> FrozenTable:
    """Rows of a relation and the exact sum of each of its columns of numbers."""
    described = connection.execute(f"describe select * from {relation}").fetchall()
    numbers = [row[0] for row in described if row[1].split("(")[0] in SUMMED]
    # A sum of large decimals may leave their type; as text in integers of 128 bits it does not.
    sums = ", ".join(f'cast(sum("{column}") as varchar)' for column in numbers)
    row = connection.execute(
        f"select count(*){', ' if sums else ''}{sums} from {relation}"
    ).fetchone()
    assert row is not None
    values = {column: value or "0" for column, value in zip(numbers, row[1:], strict=True)}
    return FrozenTable(name, row[0], values)


def _list_tables(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    return connection.execute(
        "select schema_name, table_name from duckdb_tables() "
        "where database_name = 'published' and not internal order by all"
    ).fetchall()


def _freeze_table(
    connection: duckdb.DuckDBPyConnection, directory: Path, schema: str, table: str, period_id: str
) -> FrozenTable:
    columns = {
        row[0]
        for row in connection.execute(
            "select column_name from duckdb_columns() "
            "where database_name = 'published' and schema_name = ? and table_name = ?",
            [schema, table],
        ).fetchall()
    }
    where = ""
    if "scenario_id" in columns and "period_id" in columns:
        where = f" where scenario_id = 'actual' and period_id = '{period_id}'"
    connection.execute(f'create schema if not exists frozen."{schema}"')
    frozen = f'frozen."{schema}"."{table}"'
    connection.execute(
        f'create table {frozen} as select * from published."{schema}"."{table}"{where} order by all'
    )
    path = directory / PARQUET_NAME / f"{schema}.{table}.parquet"
    copy_to_parquet(connection, frozen, path, "compression zstd")
    return sum_table(connection, frozen, f"{schema}.{table}")


def _quote(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
