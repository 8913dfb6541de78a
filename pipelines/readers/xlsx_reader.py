"""Read one sheet of an Excel delivery as a table of texts, without what Excel would make up.

A formula without a stored result has no value, a merged cell belongs to no one record, and a hidden
sheet is nobody's choice: all three refuse the file. Dates become ISO texts, whichever of Excel's
two calendars counts them; numbers become the digits that Excel shows, fifteen at most.
"""

from __future__ import annotations

import datetime as dt
import re
import zipfile
import zlib
from collections.abc import Iterator
from decimal import Decimal
from itertools import chain, islice, zip_longest
from pathlib import Path
from typing import Any

from pipelines.errors import DeliveryRefusedError, Problem
from pipelines.mappings.mapping import Mapping
from pipelines.readers.csv_header import NATIVE_MARK, Header, check_header
from pipelines.readers.header_lines import join_header_lines
from pipelines.readers.ragged_rows import mark_ragged
from pipelines.readers.text_table import TextTable
from pipelines.readers.unpack import check_archive_size

EXCEL_DIGITS = 15
"""Digits that Excel computes with and shows; what it stores beyond them is noise of binary."""
MERGED_CELLS = re.compile(rb'<(?:\w+:)?mergeCell\b[^>]*?\bref="([A-Z]+\d+(?::[A-Z]+\d+)?)"')
CHUNK_BYTES = 1 << 20
OVERLAP_BYTES = 256
Row = tuple[str, ...]
# What openpyxl and the parsers below it raise on parts that are missing or damaged.
READING_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    LookupError,
    ValueError,
    SyntaxError,
    TypeError,
    AttributeError,
)


def write_sheet_as_csv(
    path: Path, mapping: Mapping, target: Path, name: str, has_names: bool
) -> Header:
    """Write header and records of the mapping's sheet to `target`; `has_names`: they may name
    persons. Raises DeliveryRefusedError where the workbook cannot be read for sure."""
    _check_archive(path, name)
    notes: list[str] = []
    title_rows: list[str] = []
    rows = _read_rows(path, mapping, name, notes, title_rows)
    columns = _read_columns(rows, mapping, name)
    header = check_header(columns, mapping, name)
    width, ragged = len(columns), 0
    with TextTable(target, columns, name) as table:
        for number, row in enumerate(_cut_end(rows, mapping.footer_rows, notes), start=1):
            is_ragged = any(row[width:])
            if is_ragged and mapping.ragged_rows == "quarantine":
                bare = [cell.removeprefix(NATIVE_MARK) for cell in row]
                where = f"record {number}"
                marked = mark_ragged(bare, width, where, ", ", names_persons=has_names)
                table.write(marked, number)
                ragged += 1
                continue
            if is_ragged:
                expected = f"{len(columns)} cells as in the header"
                found = repr(next(cell for cell in row[len(columns) :] if cell))
                raise _refuse(name, f"record {number} has a cell too much", expected, found)
            table.write([*row, *[""] * len(columns)][: len(columns)], number)
    if mapping.header_row > 1:
        notes.append(f"{mapping.header_row - 1} rows before the header passed over")
    if ragged:
        notes.append(f"{ragged:,} records have another number of fields than the header")
    return Header(
        header.columns,
        header.unknown,
        tuple(notes),
        has_native=True,
        has_ragged=ragged > 0,
        titles=tuple(title_rows),
    )


def _check_archive(path: Path, name: str) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            check_archive_size(archive, path.stat().st_size, name)
            if "xl/workbook.xml" not in archive.namelist():
                raise _refuse(name, "is not an Excel file", "an Excel workbook", "another archive")
    except zipfile.BadZipFile as error:
        raise _refuse(name, "is damaged", "a whole Excel file", str(error)) from None


def _read_rows(
    path: Path, mapping: Mapping, name: str, notes: list[str], titles: list[str]
) -> Iterator[Row]:
    """Rows from the header on, as texts; hidden sheets beside the one are noted, and the rows
    before the header are added to `titles`."""
    import openpyxl

    try:
        # Once for the results that are stored, once for the formulas that they are results of.
        with path.open("rb") as one, path.open("rb") as two:
            values = openpyxl.load_workbook(one, read_only=True, data_only=True)
            formulas = openpyxl.load_workbook(two, read_only=True, data_only=False)
            sheet = _choose_sheet(values, mapping, name)
            _refuse_merged(path, sheet, mapping, name)
            if mapping.sheet is None:
                others = [each.title for each in values.worksheets if each is not sheet]
                notes += [f"hidden sheet {title!r} passed over" for title in others]
            # What a file says of its own size may be wrong.
            sheets = (sheet, formulas[sheet.title])
            for each in sheets:
                each.reset_dimensions()
            if mapping.header_row > 1:
                above = sheet.iter_rows(max_row=mapping.header_row - 1)
                titles += [_say_title(cells, name) for cells in above]
            pairs = zip_longest(*(each.iter_rows(min_row=mapping.header_row) for each in sheets))
            for number, (cells, sources) in enumerate(pairs, start=mapping.header_row):
                _refuse_without_result(cells, sources, number, name)
                yield tuple(_render(cell, name) for cell in cells)
    except DeliveryRefusedError:
        raise
    except READING_ERRORS as error:
        raise _refuse(name, "is damaged", "a readable Excel file", str(error)) from None


def _choose_sheet(workbook: Any, mapping: Mapping, name: str) -> Any:
    titles = [sheet.title for sheet in workbook.worksheets]
    if mapping.sheet is not None:
        if mapping.sheet not in titles:
            raise _refuse(name, "lacks its sheet", repr(mapping.sheet), ", ".join(titles))
        return workbook[mapping.sheet]
    visible = [sheet for sheet in workbook.worksheets if sheet.sheet_state == "visible"]
    if len(visible) != 1:
        shown = ", ".join(sheet.title for sheet in visible)
        raise _refuse(
            name,
            f"has {len(visible)} visible sheets",
            "one, or a mapping that names the sheet",
            shown or "none",
        )
    return visible[0]


def _refuse_merged(path: Path, sheet: Any, mapping: Mapping, name: str) -> None:
    """Cells that are merged in the header or below it; a merged title above does no harm."""
    with zipfile.ZipFile(path) as archive, archive.open(sheet._worksheet_path) as part:
        rest = b""
        while chunk := part.read(CHUNK_BYTES):
            text = rest + chunk
            for match in MERGED_CELLS.finditer(text):
                area = match[1].decode("ascii")
                last_row = int(re.findall(r"\d+", area)[-1])
                header_ends = mapping.header_row + mapping.header_rows - 1
                if mapping.header_rows > 1 and last_row <= header_ends:
                    # Of several lines the name of a group is one cell over its columns.
                    continue
                if last_row >= mapping.header_row:
                    where = "header" if last_row <= header_ends else "records"
                    raise _refuse(
                        name, f"has merged cells in its {where}", "one value per cell", area
                    )
            rest = text[-OVERLAP_BYTES:]


def _refuse_without_result(cells: Any, sources: Any, row: int, name: str) -> None:
    for cell, source in zip(cells or (), sources or (), strict=False):
        if source.data_type == "f" and cell.value is None:
            raise _refuse(
                name,
                f"has a formula without a stored result in {source.coordinate}",
                "values, or a workbook that Excel has calculated and saved",
                f"{str(source.value)[:80]!r} in row {row}",
            )


def _render(cell: Any, name: str) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return NATIVE_MARK + ("true" if value else "false")
    if isinstance(value, int):
        return NATIVE_MARK + str(value)
    if isinstance(value, float):
        return NATIVE_MARK + _show_float(value)
    if isinstance(value, dt.datetime):
        return NATIVE_MARK + value.isoformat(sep=" ")
    if isinstance(value, dt.date | dt.time):
        return NATIVE_MARK + value.isoformat()
    if cell.data_type == "e":
        raise _refuse(name, f"has an error in {cell.coordinate}", "a value", str(value))
    return str(value).replace(NATIVE_MARK, "\x1c")


def _say_title(cells: Any, name: str) -> str:
    texts = (_render(cell, name).removeprefix(NATIVE_MARK) for cell in cells)
    return " ".join(text for text in texts if text)


def _show_float(value: float) -> str:
    """The digits that Excel shows: 0.1 + 0.2 is 0.3."""
    exact = Decimal(f"{value:.{EXCEL_DIGITS}g}")
    text = format(exact, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _read_columns(rows: Iterator[Row], mapping: Mapping, name: str) -> list[str]:
    lines = [
        [cell.removeprefix(NATIVE_MARK) for cell in row]
        for row in islice(rows, mapping.header_rows)
    ]
    cells = join_header_lines(lines) if len(lines) > 1 else [*chain(*lines)]
    while cells and not cells[-1]:
        cells.pop()
    if not cells:
        raise _refuse(name, "has no header", f"names in row {mapping.header_row}", "nothing")
    if not all(cells):
        number = cells.index("") + 1
        raise _refuse(name, "has a column without a name", "a name", f"nothing in column {number}")
    return cells


def _cut_end(rows: Iterator[Row], footer_rows: int, notes: list[str]) -> Iterator[Row]:
    """Without the empty rows at the end, which Excel keeps where cells were formatted, and then
    without the footer."""
    held: list[Row] = []
    blank: list[Row] = []
    for row in rows:
        if not any(row):
            blank.append(row)
            continue
        held += [*blank, row]
        blank.clear()
        while len(held) > footer_rows:
            yield held.pop(0)
    if blank:
        notes.append(f"{len(blank)} empty rows at the end passed over")
    if held:
        shown = " ".join(cell.removeprefix(NATIVE_MARK) for cell in held[0] if cell)
        notes.append(f"footer of {len(held)} rows passed over: {shown!r}")


def _refuse(name: str, message: str, expected: str, found: str) -> DeliveryRefusedError:
    remedy = "Nothing was loaded. Correct the workbook or its mapping, then land it again."
    return DeliveryRefusedError(
        Problem(name, message, expected=expected, found=found, remedy=remedy)
    )
