"""Set records of another width than the header apart, so that they alone go into quarantine.

A field too many or too few says that the fields are not where the header says, so none of them is
believed: the record keeps its place and its text, and no value. The file is read so only after a
strict parser met such a record.

Known limit: a file that ends inside a record looks like one with a short last record; where no line
end follows, it is refused as cut off.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from pipelines.errors import DeliveryRefusedError, Problem
from pipelines.mappings.mapping import Mapping
from pipelines.readers.text_marks import MISREAD_MARK, RAGGED
from pipelines.readers.text_table import TextTable

SHOWN_CHARACTERS = 2000


class RaggedRowsError(DeliveryRefusedError):
    """A record has another width than the header; the others may still be read."""


def mark_ragged(
    row: list[str], width: int, where: str, delimiter: str, *, names_persons: bool
) -> list[str]:
    """A record of `width` fields, each of which says that the delivered one has another number.
    Where a field of its kind names persons, its text is not kept: any of it may be such a name."""
    shown = delimiter.join(row)[:SHOWN_CHARACTERS].replace(MISREAD_MARK, " ")
    if names_persons:
        shown = "what is not shown here, because the delivery names persons"
    expected = f"{width} fields as in the header, and {where} has {len(row)}"
    return [MISREAD_MARK.join(("", shown, expected, RAGGED))] * width


def write_marked_rows(
    path: Path,
    width: int,
    mapping: Mapping,
    target: Path,
    name: str,
    *,
    is_whole: bool,
    names_persons: bool,
) -> int:
    """Copy the records of the UTF-8 file at `path` to `target`, those of another width marked; how
    many there are. `is_whole`: a line end follows the last record.

    Raises DeliveryRefusedError where quotes do not close, or the file is cut off.
    """
    count = 0
    columns = [f"column_{number}" for number in range(width)]
    with (
        path.open(encoding="utf-8-sig", newline="") as source,
        TextTable(target, columns, name) as table,
    ):
        rows = _read_rows(source, mapping, name)
        next(rows)
        last: tuple[int, list[str]] = (0, [])
        for number, (line, row) in enumerate(rows, start=1):
            last = (line, row)
            if len(row) == width:
                table.write(row, number)
                continue
            count += 1
            where, mark = f"line {line}", mapping.delimiter
            table.write(mark_ragged(row, width, where, mark, names_persons=names_persons), number)
    if not is_whole and len(last[1]) < width:
        raise DeliveryRefusedError(
            Problem(
                name,
                f"is cut off: line {last[0]} has {len(last[1])} fields and no line end",
                expected=f"{width} as in the header",
                found=mapping.delimiter.join(last[1])[:SHOWN_CHARACTERS],
                remedy="Nothing was loaded. Ask the sender for the whole file, then land it again.",
            )
        )
    return count


def _read_rows(
    source: Iterator[str], mapping: Mapping, name: str
) -> Iterator[tuple[int, list[str]]]:
    """(line in which it ends, record) for each record, blank lines left out."""
    if mapping.quote:
        reader = csv.reader(
            source, delimiter=mapping.delimiter, quotechar=mapping.quote, strict=True
        )
    else:
        reader = csv.reader(
            source, delimiter=mapping.delimiter, quoting=csv.QUOTE_NONE, strict=True
        )
    try:
        for row in reader:
            if row:
                yield reader.line_num, row
    except csv.Error as error:
        raise DeliveryRefusedError(
            Problem(
                name,
                f"line {reader.line_num} has a quote that is not closed or not doubled",
                expected='a quoted field that ends, with quotes inside it doubled ("")',
                found=str(error),
                remedy="Nothing was loaded. Correct the file, then land it again.",
            )
        ) from None
