"""What is copied to Parquet has every digit that the table had."""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipelines.warehouse.parquet_copy import copy_to_parquet


def test_integers_of_128_bits_keep_their_digits(tmp_path: Path) -> None:
    path = tmp_path / "it's.parquet"
    number = 10**37 + 1
    with duckdb.connect() as connection:
        connection.execute(f"create table t as select {number}::hugeint as units, 'x' as name")
        connection.execute(f"insert into t values (-{number}, null)")
        copy_to_parquet(connection, "t", path, "compression zstd")
        rows = connection.execute(
            f"select units, name from '{str(path).replace(chr(39), chr(39) * 2)}'"
        ).fetchall()
    assert [(int(units), name) for units, name in rows] == [(number, "x"), (-number, None)]
