"""Copy a table to Parquet without losing a digit.

Parquet has no integers of 128 bits: DuckDB writes a HUGEINT as floating point, without a word. Here
it becomes a decimal(38, 0), which holds what the engine can reach (amount x weight < 8e37).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


def copy_to_parquet(
    connection: duckdb.DuckDBPyConnection, relation: str, path: Path, options: str = ""
) -> None:
    """Write all rows of `relation` to `path`; `options` are more of them for DuckDB's `copy`."""
    described = connection.execute(f"describe select * from {relation}").fetchall()
    wide = [row[0] for row in described if row[1] == "HUGEINT"]
    casts = ", ".join(f'cast("{name}" as decimal(38, 0)) as "{name}"' for name in wide)
    columns = f"* replace ({casts})" if wide else "*"
    target = str(path).replace("'", "''")
    more = f", {options}" if options else ""
    connection.execute(
        f"copy (select {columns} from {relation}) to '{target}' (format parquet{more})"
    )
