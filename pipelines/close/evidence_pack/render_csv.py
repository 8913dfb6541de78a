"""Tables of a pack as CSV: exact decimals, and no text that a spreadsheet runs as a formula."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal

from pipelines.close.evidence_pack.records import Cell, Table

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def render_csv(table: Table) -> bytes:
    """The table in UTF-8 with a byte order mark, so that spreadsheets read the names right."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([_write_cell(column) for column in table.columns])
    writer.writerows([_write_cell(cell) for cell in row] for row in table.rows)
    return buffer.getvalue().encode("utf-8-sig")


def _write_cell(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, Decimal):
        return format(cell, "f")
    if isinstance(cell, int):
        return str(cell)
    if isinstance(cell, date):
        return cell.isoformat()
    return f"'{cell}" if cell.lstrip(" ").startswith(FORMULA_STARTS) else cell
