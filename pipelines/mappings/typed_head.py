"""The heads of Parquet, Excel, JSON and JSON lines: formats that have types of their own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from pipelines.mappings.file_head import (
    NOTHING_TO_DO,
    FileHead,
    HeadNotReadError,
    RecordSample,
    number_columns,
    sample_records,
)
from pipelines.mappings.header_shape import LOOKED_AT_LINES, find_header
from pipelines.readers.header_lines import join_header_lines
from pipelines.readers.json_reader import WHOLE_DOCUMENT

SCANNED_ROWS = 20_000
MOST_JSON_BYTES = 64 << 20
NUMBER_TYPES = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "DECIMAL", "FLOAT", "DOUBLE")
MOMENT_TYPES = ("DATE", "TIMESTAMP")


def read_parquet_head(path: Path, name: str) -> FileHead:
    """Describe a file of Parquet; nested values are shown as their text."""
    import duckdb

    from pipelines.readers.parquet_reader import describe_leaves, quote_name, show_source

    with duckdb.connect() as connection:
        try:
            source = show_source(path)
            described = connection.execute(f"describe select * from {source}").fetchall()
            types = {row[0]: row[1] for row in described if row[0] != "file_row_number"}
            own = [row for row in described if row[0] in types]
            shown = {column: (quote_name(column), kind) for column, kind in types.items()}
            shown |= dict(describe_leaves(connection, source, own))
            types |= {column: kind for column, (_, kind) in shown.items()}
            texts = ", ".join(_parquet_text(text, kind) for text, kind in shown.values())
            rows = connection.execute(f"select {texts} from {source} limit {SCANNED_ROWS}")
            found = rows.fetchall()
            total = connection.execute(f"select count(*) from {source}").fetchone()
        except duckdb.Error as error:
            first = str(error).splitlines()[0]
            raise HeadNotReadError(name, f"Parquet that cannot be read ({first})") from None
    if not found:
        raise HeadNotReadError(name, "Parquet without records", NOTHING_TO_DO)
    columns = tuple(types)
    sample = sample_records((tuple(row) for row in found), len(columns))
    return FileHead(
        name,
        columns,
        tuple(sample.records),
        format="parquet",
        floats=tuple(column for column, kind in types.items() if kind in ("FLOAT", "DOUBLE")),
        natives=tuple(
            c for c, kind in types.items() if kind.startswith(NUMBER_TYPES + MOMENT_TYPES)
        ),
        is_whole=sample.is_whole and total is not None and total[0] == len(found),
        repeating=sample.list_repeating(columns),
        values=sample.list_values(columns),
    )


def _parquet_text(quoted: str, kind: str) -> str:
    if kind.startswith(("STRUCT", "MAP")) or kind.endswith("]"):
        return f"coalesce(cast(to_json({quoted}) as varchar), '')"
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"coalesce(strftime({quoted} at time zone 'UTC', '%Y-%m-%dT%H:%M:%SZ'), '')"
    return f"coalesce(cast({quoted} as varchar), '')"


def read_workbook_head(path: Path, name: str) -> FileHead:
    """Describe the sheet of a workbook that holds the largest table among those that are shown."""
    import openpyxl

    from pipelines.readers.xlsx_reader import READING_ERRORS

    try:
        with path.open("rb") as file:
            workbook = openpyxl.load_workbook(file, read_only=True, data_only=True)
            shown = [sheet for sheet in workbook.worksheets if sheet.sheet_state == "visible"]
            tables = {sheet.title: _read_sheet(sheet) for sheet in shown}
    except READING_ERRORS as error:
        raise HeadNotReadError(name, f"a workbook that cannot be read ({error})") from None
    if not tables:
        raise HeadNotReadError(name, "a workbook without a sheet that is shown")
    title = max(tables, key=lambda item: len(tables[item]) * _find_width(tables[item]))
    rows = tables[title]
    header, header_rows, width = _find_header_rows(rows)
    if width < 2:
        raise HeadNotReadError(name, "a workbook without a table")
    lines = [[_show(cell) for cell in row][:width] for row in rows[header : header + header_rows]]
    columns = number_columns(join_header_lines(lines) if header_rows > 1 else lines[0])
    body = rows[header + header_rows :]
    footer = _count_footer(body, width)
    kept = [row for row in body[: len(body) - footer] if any(cell is not None for cell in row)]
    texts = (tuple(_show(cell) for cell in (*row, *[None] * width)[:width]) for row in kept)
    sample = sample_records(texts, width)
    if not sample.records:
        raise HeadNotReadError(name, "a workbook with a header and no records", NOTHING_TO_DO)
    return FileHead(
        name,
        columns,
        tuple(sample.records),
        format="xlsx",
        header_row=header + 1,
        header_rows=header_rows,
        footer_rows=footer,
        sheet=title if len(tables) > 1 else None,
        natives=tuple(_list_natives(columns, kept)),
        is_whole=sample.is_whole and len(rows) < SCANNED_ROWS,
        repeating=sample.list_repeating(columns),
        values=sample.list_values(columns),
    )


def _read_sheet(sheet: Any) -> list[tuple[Any, ...]]:
    sheet.reset_dimensions()
    rows: list[tuple[Any, ...]] = []
    for row in sheet.iter_rows(values_only=True):
        rows.append(tuple(row))
        if len(rows) >= SCANNED_ROWS:
            break
    while rows and not any(cell is not None for cell in rows[-1]):
        rows.pop()
    return rows


def _find_width(rows: list[tuple[Any, ...]]) -> int:
    """The number of cells of the widest run of names that a row has from its first cell on."""
    return max((_count_names(row) for row in rows[:60]), default=0)


def _count_names(row: tuple[Any, ...]) -> int:
    count = 0
    for cell in row:
        if not isinstance(cell, str) or not cell.strip():
            break
        count += 1
    return count


def _find_header_rows(rows: list[tuple[Any, ...]]) -> tuple[int, int, int]:
    """(index of the header, how many rows it has, width of the table); a width of 0 where there is
    none. Names of groups may be merged cells above the names of their columns."""
    width = _find_width(rows)
    texts = [[_show(cell) for cell in row] for row in rows[:LOOKED_AT_LINES]]
    ends = [max((n for n, text in enumerate(row, start=1) if text), default=0) for row in texts]
    for index, (upper, lower) in enumerate(pairwise(texts)):
        whole = max(ends[index : index + 2])
        cells = [[*row, *[""] * whole][:whole] for row in (upper, lower)]
        if whole >= width and find_header(cells, whole) == (0, 2):
            return index, 2, whole
    found = next((n for n, row in enumerate(rows[:60]) if _count_names(row) == width), None)
    return (0, 1, 0) if found is None else (found, 1, width)


def _count_footer(body: list[tuple[Any, ...]], width: int) -> int:
    from pipelines.mappings.text_head import TOTAL_WORDS

    count = 0
    for row in reversed(body):
        texts = [_show(cell).strip() for cell in row[:width] if cell is not None]
        is_total = any(TOTAL_WORDS.fullmatch(text) for text in texts)
        if not (is_total or (len(texts) == 1 and width > 2) or not texts):
            break
        count += 1
    return count if any(row for row in body) else 0


def _list_natives(columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> Iterator[str]:
    for index, column in enumerate(columns):
        cells = [row[index] for row in rows if index < len(row) and row[index] is not None]
        if cells and not any(isinstance(cell, str) for cell in cells):
            yield column


def _show(cell: Any) -> str:
    """A cell as landing reads it."""
    import datetime as dt

    from pipelines.readers.xlsx_reader import _show_float

    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return _show_float(cell)
    if isinstance(cell, dt.datetime):
        return cell.isoformat(sep=" ")
    return cell.isoformat() if isinstance(cell, dt.date | dt.time) else str(cell)


def read_json_head(path: Path, name: str) -> FileHead:
    """Describe JSON (a list of objects, also inside a document) or JSON lines."""
    if path.stat().st_size > MOST_JSON_BYTES:
        return _read_lines_head(path, name)
    try:
        document = json.loads(path.read_text("utf-8-sig"), parse_float=str, parse_int=str)
    except UnicodeDecodeError:
        raise HeadNotReadError(name, "JSON that is not UTF-8") from None
    except RecursionError:
        raise HeadNotReadError(name, "JSON that is nested too deeply") from None
    except ValueError:
        return _read_lines_head(path, name)
    where = _find_records(document)
    if where is None and isinstance(document, dict):
        # One object is one record, as inventories of one computer are.
        is_line = b"\n" not in path.read_bytes().strip()
        return _describe_objects(
            name, [document], *(("jsonl", None) if is_line else ("json", WHOLE_DOCUMENT))
        )
    if where is None:
        raise HeadNotReadError(name, "JSON without a list of records")
    records = document
    for key in where.split(".") if where else ():
        records = records[key]
    return _describe_objects(name, list(records), "json", where or None)


def _find_records(document: Any, depth: int = 3) -> str | None:
    """Dotted path to the longest list of objects; the empty text where it is the document."""
    if isinstance(document, list):
        return "" if document and all(isinstance(item, dict) for item in document) else None
    if not isinstance(document, dict) or depth == 0:
        return None
    if document and all(not isinstance(value, dict | list) for value in document.values()):
        return None
    lists = [
        (key, value)
        for key, value in document.items()
        if isinstance(value, list) and value and all(isinstance(item, dict) for item in value)
    ]
    # An envelope holds one list and little else; an object with many lists is itself a record.
    if (
        len(lists) == 1
        and len(document) <= 8
        and not any(isinstance(value, dict) and len(value) > 8 for value in document.values())
    ):
        return str(lists[0][0])
    for key, value in document.items():
        if isinstance(value, dict) and len(document) == 1:
            inner = _find_records(value, depth - 1)
            if inner:
                return f"{key}.{inner}"
    return None


def _read_lines_head(path: Path, name: str) -> FileHead:
    """Describe JSON lines. Raises HeadNotReadError where a line is no object."""
    records: list[dict[str, Any]] = []
    try:
        with path.open(encoding="utf-8-sig", newline="\n") as file:
            for line in file:
                record = json.loads(line, parse_float=str, parse_int=str)
                if not isinstance(record, dict):
                    raise ValueError("is no object")
                records.append(record)
                if len(records) >= SCANNED_ROWS:
                    break
    except (ValueError, RecursionError):
        raise HeadNotReadError(
            name,
            "text that is no JSON",
            "Write one object per line (JSON lines).",
        ) from None
    return _describe_objects(name, records, "jsonl", None)


def _describe_objects(
    name: str, records: list[dict[str, Any]], form: str, where: str | None
) -> FileHead:
    flat = [dict(flatten(record)) for record in records[:SCANNED_ROWS]]
    columns = tuple(dict.fromkeys(key for record in flat for key in record))
    if not columns:
        raise HeadNotReadError(name, "JSON without a record", NOTHING_TO_DO)
    sample = RecordSample(len(columns))
    for record in flat:
        sample.add(tuple(record.get(column, "") for column in columns))
    return FileHead(
        name,
        columns,
        tuple(sample.records),
        format=form,
        records_at=where,
        is_whole=sample.is_whole and len(records) < SCANNED_ROWS,
        repeating=sample.list_repeating(columns),
        values=sample.list_values(columns),
    )


def flatten(record: dict[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """(dotted name, text) of every value of an object; lists are left out."""
    for key, value in record.items():
        if isinstance(value, dict):
            yield from flatten(value, f"{before}{key}.")
        elif isinstance(value, bool):
            yield f"{before}{key}", "true" if value else "false"
        elif not isinstance(value, list):
            yield f"{before}{key}", "" if value is None else str(value)
