"""Find the records of a delivery of any format, as one relation of text columns.

Whatever the format, the result is the same: `column_0` ... as text, in the order of the file, so
that the checks of fields and records have one implementation. Nothing is loaded that does not have
to be: CSV and Parquet are read by the first statement that checks them.
"""

from __future__ import annotations

import codecs
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.contracts.contract import Contract
from pipelines.errors import DeliveryRefusedError, Problem
from pipelines.mappings.mapping import Mapping, Unpivot
from pipelines.readers.csv_header import Header, check_columns, read_header
from pipelines.readers.csv_reader import scan_as_text
from pipelines.readers.delivered import Delivered
from pipelines.readers.file_values import add_file_values
from pipelines.readers.personal_texts import names_persons
from pipelines.readers.physical_lines import PhysicalText, naming_lines
from pipelines.readers.ragged_rows import write_marked_rows
from pipelines.readers.safe_bytes import BytesSeen, inspect_text_file, is_plain_text
from pipelines.readers.table_shapes import shape_table
from pipelines.readers.text_lines import TextLines, cut_lines, needs_cutting, read_titles
from pipelines.readers.unpack import transcode, unpack

if TYPE_CHECKING:
    import duckdb


def read_table(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    contract: Contract,
    mapping: Mapping,
    seen: BytesSeen,
    work: Path,
    name: str,
    *,
    marks_ragged: bool = False,
    keeps_left_out: bool = False,
) -> Delivered:
    """The records of the file at `path`, called `name` in messages. With `marks_ragged`, records of
    another width than the header are read as marked ones; with `keeps_left_out`, those that a
    condition leaves out stay in a table, as a control total needs them.

    Assumes that `seen` is what its bytes are. Files that the relation reads may be written to
    `work`, which must stay until the records are written. Raises DeliveryRefusedError where the
    file is not what its mapping declares.
    """
    delivered = _read_format(
        connection, path, contract, mapping, seen, work, name, marks_ragged=marks_ragged
    )
    if mapping.file_values or mapping.year_from is not None:
        valued = add_file_values(delivered.header, mapping, name)
        delivered = replace(delivered, header=valued)
    if mapping.skip_blank_rows:
        delivered = _skip_blank_rows(connection, delivered)
    if mapping.has_table_shape():
        if not mapping.skip_blank_rows:
            delivered = delivered.keep(connection, "delivered")
        with naming_lines(delivered.text):
            delivered = shape_table(
                connection, delivered, contract, mapping, name, keeps_left_out=keeps_left_out
            )
    if mapping.unpivot is not None:
        delivered = _unpivot(connection, delivered, mapping, mapping.unpivot, name)
    return delivered


def _read_format(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    contract: Contract,
    mapping: Mapping,
    seen: BytesSeen,
    work: Path,
    name: str,
    *,
    marks_ragged: bool,
) -> Delivered:
    if mapping.format == "parquet":
        from pipelines.readers.parquet_reader import scan_parquet

        return scan_parquet(connection, path, contract, mapping, name)
    if mapping.format == "xlsx":
        from pipelines.readers.xlsx_reader import write_sheet_as_csv

        has_names = names_persons(contract, mapping)
        header = write_sheet_as_csv(path, mapping, work / "table.csv", name, has_names)
        return scan_as_text(work / "table.csv", header, name, seen.line_ends)
    path, seen, notes, titles = _prepare_text(path, mapping, seen, work, name)
    if mapping.format in ("json", "jsonl"):
        from pipelines.readers.json_reader import write_records_as_csv

        header = write_records_as_csv(path, mapping, work / "table.csv", name)
        delivered = scan_as_text(work / "table.csv", header, name, seen.line_ends)
    else:
        header = read_header(path, mapping, name)
        ends = seen.line_ends
        line_end = "\r" if ends.cr and not (ends.lf or ends.crlf) else "\n"
        # A header of several lines was joined into one.
        passed = mapping.header_row - 1 + mapping.header_rows - 1
        text = PhysicalText(path, mapping.quote, line_end, passed)
        if marks_ragged:
            header = replace(header, notes=tuple(notes), titles=titles)
            marked = _mark_ragged_rows(path, header, contract, mapping, seen, work, name)
            return replace(marked, text=text)
        delivered = scan_as_text(
            path, header, name, seen.line_ends, mapping.delimiter, mapping.quote
        )
        is_a_record_a_line = mapping.unpivot is None and not needs_cutting(mapping)
        lines = TextLines(path, mapping.quote, seen.lines if is_a_record_a_line else None)
        delivered = replace(
            delivered,
            lines=lines,
            text=text,
            may_have_control_characters=seen.has_control_characters,
        )
    header = delivered.header
    header = replace(header, notes=(*notes, *header.notes), titles=titles)
    return replace(delivered, header=header)


def _mark_ragged_rows(
    path: Path,
    header: Header,
    contract: Contract,
    mapping: Mapping,
    seen: BytesSeen,
    work: Path,
    name: str,
) -> Delivered:
    """The records of a text of which some have another width than the header."""
    target, width = work / "marked", len(header.columns)
    is_whole = seen.ends_with_newline or needs_cutting(mapping)
    has_names = names_persons(contract, mapping)
    count = write_marked_rows(
        path, width, mapping, target, name, is_whole=is_whole, names_persons=has_names
    )
    notes = (*header.notes, f"{count:,} records have another number of fields than the header")
    header = replace(header, notes=notes, has_ragged=True)
    return scan_as_text(target, header, name, seen.line_ends)


def _prepare_text(
    path: Path, mapping: Mapping, seen: BytesSeen, work: Path, name: str
) -> tuple[Path, BytesSeen, list[str], tuple[str, ...]]:
    """UTF-8 text that begins with the header and ends with the last record; notes, and the lines
    before the header."""
    notes: list[str] = []
    titles: tuple[str, ...] = ()
    if mapping.compression != "none":
        unpack(path, mapping, work / "unpacked", name)
        path = work / "unpacked"
    if codecs.lookup(mapping.encoding).name != "utf-8":
        transcode(path, mapping.encoding, work / "transcoded", name)
        path = work / "transcoded"
        notes.append(f"text read as {mapping.encoding}")
    if not is_plain_text(mapping):
        # The delivery's own bytes were not text yet when they were inspected.
        seen = inspect_text_file(path, name, mapping.format)
        if seen.has_bom:
            notes.append("byte-order mark removed")
        if not seen.ends_with_newline and mapping.format == "csv":
            notes.append("last line has no line end")
    if needs_cutting(mapping):
        titles = read_titles(path, mapping)
        notes += cut_lines(path, mapping, work / "cut", name)
        path = work / "cut"
    return path, seen, notes, titles


def _skip_blank_rows(connection: duckdb.DuckDBPyConnection, delivered: Delivered) -> Delivered:
    delivered = delivered.keep(connection, "delivered")
    blank = " and ".join(
        f"coalesce(trim(column_{number}), '') = ''"
        for number in range(len(delivered.header.columns))
    )
    row = connection.execute(f"delete from delivered where {blank}").fetchone()
    count = row[0] if row else 0
    return _add_note(delivered, f"{count:,} blank records passed over") if count else delivered


def _unpivot(
    connection: duckdb.DuckDBPyConnection,
    delivered: Delivered,
    mapping: Mapping,
    unpivot: Unpivot,
    name: str,
) -> Delivered:
    """One record per value; records are numbered by the delivery's record and column, with gaps
    where there is no value."""
    if delivered.relation != "delivered":
        delivered = delivered.keep(connection, "delivered")
    header, columns = delivered.header, delivered.header.columns
    passed = {*unpivot.id_columns, *unpivot.skip_columns}
    values = [number for number, column in enumerate(columns) if column not in passed]
    ids = unpivot.id_columns
    if unpivot.value_columns:
        values = [columns.index(column) for column in unpivot.value_columns]
        ids = tuple(c for n, c in enumerate(columns) if n not in values and c not in passed)
    numbers = [columns.index(column) for column in ids]
    if not values:
        problem = Problem(name, "has no columns of values", expected="at least one")
        raise DeliveryRefusedError(problem)
    kept = ", ".join(f"column_{number} as id_{i}" for i, number in enumerate(numbers))
    labels = {
        number: unpivot.value_columns.get(columns[number], columns[number]) for number in values
    }
    pairs = ", ".join(
        f"{{'position': {position}, 'name': {_literal(labels[number])}, 'value': column_{number}}}"
        for position, number in enumerate(values, start=1)
    )
    tokens = ", ".join(_literal(token) for token in ("", *mapping.null_tokens))
    named = ", ".join(f"id_{i} as column_{i}" for i in range(len(numbers)))
    connection.execute(
        f"""
        create or replace temp table unpivoted as
        with pairs as (select _row_number, {kept}, unnest([{pairs}]) as pair from delivered)
        select
            (_row_number - 1) * {len(values)} + pair.position as _row_number,
            {named}, pair.name as column_{len(numbers)}, pair.value as column_{len(numbers) + 1}
        from pairs where coalesce(pair.value, '') not in ({tokens})
        """
    )
    row = connection.execute(
        f"select {len(values)} * (select count(*) from delivered) - count(*) from unpivoted"
    ).fetchone()
    assert row is not None
    connection.execute("drop table delivered")
    connection.execute("alter table unpivoted rename to delivered")
    made = [*ids, unpivot.name_column, unpivot.value_column]
    checked = check_columns(made, mapping, name)
    found = replace(header, columns=checked.columns, unknown=checked.unknown)
    text = delivered.text and replace(delivered.text, values_per_record=len(values))
    delivered = replace(delivered, header=found, text=text)
    if not row[0]:
        return delivered
    return _add_note(delivered, f"{row[0]:,} columns of records hold no value")


def _add_note(delivered: Delivered, note: str) -> Delivered:
    header = delivered.header
    return replace(delivered, header=replace(header, notes=(*header.notes, note)))


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
