"""The same table for a terminal, for a page in Markdown, or as CSV for a spreadsheet."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from pipelines.cli.output import format_money, print_table


class TableFormat(StrEnum):
    """How a table is written."""

    TABLE = "table"
    MARKDOWN = "markdown"
    CSV = "csv"


@dataclass(frozen=True)
class Table:
    """A title, columns and rows; money is a Decimal, and columns in `numeric` are right-aligned."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    numeric: tuple[int, ...] = ()


def print_tables(tables: Sequence[Table], form: TableFormat) -> None:
    """Print the tables; as CSV, where amounts have no thousands separators, without titles."""
    for table in tables:
        if form is TableFormat.CSV:
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow(table.columns)
            writer.writerows(table.rows)
        elif form is TableFormat.MARKDOWN:
            print(_write_markdown(table))
        else:
            rows = [tuple(map(_write_cell, row)) for row in table.rows]
            print_table(table.title, table.columns, rows, numeric=table.numeric)


def _write_markdown(table: Table) -> str:
    marks = ["---:" if number in table.numeric else "---" for number in range(len(table.columns))]
    rows = [table.columns, marks, *(tuple(map(_write_cell, row)) for row in table.rows)]
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join([f"**{table.title}**", "", *lines, ""])


def _write_cell(value: Any) -> str:
    if isinstance(value, Decimal):
        return format_money(value)
    return "" if value is None else str(value).replace("\n", " ")
