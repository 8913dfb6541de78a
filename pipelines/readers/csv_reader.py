"""Read a CSV delivery strictly: own exact header check, then every field as text.

DuckDB maps columns by position when types are given, falls back to one column on ragged rows and
takes a first record for a header without a word; so the header is read and compared here, and the
parser is told everything and asked to guess nothing.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import DeliveryRefusedError, Problem
from pipelines.mappings.mapping import Mapping

if TYPE_CHECKING:
    import duckdb

MAX_HEADER_COLUMNS = 1000


@dataclass(frozen=True)
class Header:
    """The header of a delivery as it is, and what of it the mapping does not name."""

    columns: tuple[str, ...]
    unknown: tuple[str, ...]


def read_header(path: Path, mapping: Mapping) -> Header:
    """Read and check the header. Raises DeliveryRefusedError on any missing or doubled column."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            columns = next(csv.reader(file, strict=True))
        except (csv.Error, StopIteration) as error:
            raise _refuse(path, f"has no readable header ({error})") from None
    if len(columns) > MAX_HEADER_COLUMNS:
        raise _refuse(
            path,
            f"has {len(columns)} columns",
            expected=f"at most {MAX_HEADER_COLUMNS}",
        )
    doubled = sorted({column for column in columns if columns.count(column) > 1})
    if doubled:
        raise _refuse(path, f"has the column {doubled[0]!r} twice", expected="each column once")
    required = [
        column for column in mapping.columns.values() if column not in mapping.optional_columns
    ]
    missing = [column for column in required if column not in columns]
    if missing:
        raise _refuse(path, *_describe_missing(missing, columns))
    unknown = tuple(column for column in columns if column not in mapping.columns.values())
    if unknown and mapping.unknown_columns == "refuse":
        raise _refuse(
            path,
            f"has columns that its contract does not know: {', '.join(unknown)}",
            expected=f"only {', '.join(mapping.columns.values())}",
        )
    return Header(tuple(columns), unknown)


def load_as_text(
    connection: duckdb.DuckDBPyConnection, path: Path, header: Header, table: str
) -> None:
    """Create `table` with `_row_number` (1 = first record) and every column as text.

    Raises DeliveryRefusedError where the file is not strict CSV of the header's width.
    """
    import duckdb

    columns = ", ".join(f"{_quote(name)}: 'varchar'" for name in header.columns)
    try:
        connection.execute(
            f"""
            create or replace temp table {table} as
            select row_number() over () as _row_number, *
            from read_csv(
                ?, auto_detect = false, header = true, delim = ',', quote = '"', escape = '"',
                columns = {{{columns}}}, strict_mode = true, null_padding = false
            )
            """,
            [str(path)],
        )
    except duckdb.Error as error:
        sentence = str(error).split("\n\n")[0].replace("\n", " ").strip()
        raise _refuse(path, f"is not strict CSV: {sentence}") from None


def _describe_missing(missing: list[str], columns: list[str]) -> tuple[str, str, str]:
    hints = []
    for column in missing:
        close = get_close_matches(column, columns, n=1)
        hints.append(f"{column} (is '{close[0]}' meant?)" if close else column)
    return (
        f"lacks {', '.join(hints)}",
        f"the columns {', '.join(missing)}",
        ", ".join(columns[:40]),
    )


def _refuse(
    path: Path, message: str, expected: str | None = None, found: str | None = None
) -> DeliveryRefusedError:
    remedy = "Nothing was loaded. Correct the file or the source's mapping, then land it again."
    return DeliveryRefusedError(
        Problem(path.name, message, expected=expected, found=found, remedy=remedy)
    )


def _quote(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"
