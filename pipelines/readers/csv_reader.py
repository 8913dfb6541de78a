"""Read the records of a CSV delivery strictly: every field as text, nothing guessed.

The header was compared by `csv_header`; here the parser is told everything. The columns are named
by their position (`column_0` ...), so that no name of the sender reaches SQL, where case does not
count and a name may be one of ours.
"""

from __future__ import annotations

import glob
import re
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import DeliveryRefusedError, Problem
from pipelines.readers.csv_header import Header
from pipelines.readers.safe_bytes import LineEnds

if TYPE_CHECKING:
    import duckdb

MAX_LINE_BYTES = 2_000_000
SHOWN_CHARACTERS = 120


def load_as_text(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    header: Header,
    table: str,
    name: str,
    line_ends: LineEnds,
    delimiter: str = ",",
    quote: str = '"',
) -> None:
    """Create `table` with `_row_number` (1 = first record) and every column as text.

    Raises DeliveryRefusedError where the file is not strict CSV of the header's width.
    """
    import duckdb

    columns = ", ".join(f"'column_{number}': 'varchar'" for number in range(len(header.columns)))
    try:
        connection.execute(
            f"""
            create or replace temp table {table} as
            select row_number() over () as _row_number, *
            from read_csv(
                ?, auto_detect = false, header = true, delim = ?, quote = ?, escape = ?,
                columns = {{{columns}}}, strict_mode = true, null_padding = false,
                compression = 'none', max_line_size = {MAX_LINE_BYTES}
            )
            """,
            # A path is a glob to DuckDB; escaped, it means itself.
            [glob.escape(str(path)), delimiter, quote, quote],
        )
    except (duckdb.InvalidInputException, duckdb.ConversionException) as error:
        raise _explain(str(error), name, line_ends) from None


def _explain(text: str, name: str, line_ends: LineEnds) -> DeliveryRefusedError:
    """The parser's error as a sentence for the sender of the file."""
    found_line = re.search(r"CSV Error on Line: (\d+)", text)
    where = f"line {found_line[1]}" if found_line else "a line"
    original = re.search(r"Original Line: ?(.*)", text)
    shown = _shorten(original[1]) if original else None
    width = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", text)
    if width:
        message = f"{where} has {width[2]} fields"
        return _refuse(name, message, f"{width[1]} as in the header", shown)
    if "unterminated quote" in text or "quote should be followed" in text:
        expected = 'a quoted field that ends, with quotes inside it doubled ("")'
        return _refuse(
            name, f"{where} has a quote that is not closed or not doubled", expected, shown
        )
    if "aximum line size" in text or "max_line_size" in text:
        return _refuse(name, f"{where} is too long", f"at most {MAX_LINE_BYTES:,} bytes", shown)
    if "state machine" in text and line_ends.are_mixed:
        return _refuse(name, "mixes line ends", "one kind of line end", str(line_ends))
    sentence = _shorten(re.split(r"\n\n|\nPossible fixes", text, maxsplit=1)[0].replace("\n", " "))
    return _refuse(name, "is not strict CSV", "comma-separated records by RFC 4180", sentence)


def _shorten(text: str) -> str:
    text = text.strip()
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


def _refuse(name: str, message: str, expected: str, found: str | None) -> DeliveryRefusedError:
    remedy = "Nothing was loaded. Correct the file, then land it again."
    return DeliveryRefusedError(
        Problem(name, message, expected=expected, found=found, remedy=remedy)
    )
