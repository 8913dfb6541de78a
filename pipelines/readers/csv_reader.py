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
from pipelines.readers.delivered import Delivered
from pipelines.readers.ragged_rows import RaggedRowsError
from pipelines.readers.safe_bytes import LineEnds
from pipelines.readers.text_marks import literal

if TYPE_CHECKING:
    import duckdb

MAX_LINE_BYTES = 2_000_000
NO_VALUE = "\x1a\x1d\x1a"
"""What DuckDB is told stands for 'no value': nothing that is delivered. It drops one field too many
where that field is 'no value', and `1,234,` would be an amount of 1 in a record that fits."""
SHOWN_CHARACTERS = 120


def scan_as_text(
    path: Path,
    header: Header,
    name: str,
    line_ends: LineEnds,
    delimiter: str = ",",
    quote: str = '"',
) -> Delivered:
    """The records of the file at `path`, every column as text; read when they are asked for.

    A file that is not strict CSV of the header's width is refused then, as `name`.
    """
    columns = ", ".join(f"'column_{number}': 'varchar'" for number in range(len(header.columns)))
    relation = (
        # A path is a glob to DuckDB; escaped, it means itself.
        f"read_csv({literal(glob.escape(str(path)))}, auto_detect = false, header = true, "
        f"delim = {literal(delimiter)}, quote = {literal(quote)}, escape = {literal(quote)}, "
        f"columns = {{{columns}}}, strict_mode = true, null_padding = false, "
        f"nullstr = {literal(NO_VALUE)}, "
        f"compression = 'none', max_line_size = {MAX_LINE_BYTES})"
    )

    def explain(error: duckdb.Error) -> DeliveryRefusedError | None:
        import duckdb

        if isinstance(error, (duckdb.InvalidInputException, duckdb.ConversionException)):
            return _explain(str(error), name, line_ends)
        return None

    return Delivered(header, relation, is_numbered=False, explain=explain)


def _explain(text: str, name: str, line_ends: LineEnds) -> DeliveryRefusedError:
    """The parser's error as a sentence for the sender of the file."""
    found_line = re.search(r"CSV Error on Line: (\d+)", text)
    where = f"line {found_line[1]}" if found_line else "a line"
    original = re.search(r"Original Line: ?(.*)", text)
    shown = _shorten(original[1]) if original else None
    width = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", text)
    if width:
        message = f"{where} has {width[2]} fields"
        refusal = _refuse(name, message, f"{width[1]} as in the header", shown)
        return RaggedRowsError(refusal.problem)
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
