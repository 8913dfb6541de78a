"""Show what a proposed mapping makes of the first records, with every problem that it leaves.

The records are read by the readers and the checks of landing themselves, so that what is shown is
what would land. Fields that are still to be decided are problems of every record.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from pipelines.contracts.contract import Contract
from pipelines.mappings.file_head import FileHead
from pipelines.mappings.mapping import Mapping
from pipelines.mappings.setting_parts import list_names
from pipelines.readers.csv_header import NATIVE_MARK, Header
from pipelines.readers.file_values import add_file_values

if TYPE_CHECKING:
    import duckdb

SHOWN_RECORDS = 5
SHOWN_PERSON = "(a pseudonym)"


@dataclass(frozen=True)
class PreviewRecord:
    """One record as the mapping would read it."""

    number: int
    values: dict[str, str | None]
    problems: tuple[str, ...]
    line: int | None = None
    """The line of the file in which it begins, where the format has lines."""


def preview_records(
    head: FileHead, contract: Contract, settings: dict[str, Any]
) -> tuple[PreviewRecord, ...]:
    """The first records of the head, mapped."""
    try:
        mapping = load_open_mapping(settings)
    except ValidationError as error:
        problem = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        nothing: dict[str, str | None] = {item.name: None for item in contract.fields}
        return (PreviewRecord(1, nothing, (problem,)),)
    texts = read_head_records(head, contract, mapping, head.records[:SHOWN_RECORDS])
    lines = dict(enumerate(head.lines, start=1))
    return tuple(
        PreviewRecord(number, values, problems, lines.get(number))
        for number, (values, problems) in enumerate(texts, start=1)
    )


def load_open_mapping(settings: dict[str, Any]) -> Mapping:
    """The mapping of settings that may still lack a constant. Raises ValidationError."""
    constants = {name: value for name, value in settings.get("constants", {}).items() if value}
    return Mapping.model_validate({**settings, "constants": constants})


def read_head_records(
    head: FileHead,
    contract: Contract,
    mapping: Mapping,
    records: Sequence[tuple[str, ...]],
) -> list[tuple[dict[str, str | None], tuple[str, ...]]]:
    """(values by field, problems) of some records of a head, as landing reads them."""
    import duckdb

    from pipelines.readers.text_table import TextTable

    personal = {item.name for item in contract.fields if item.is_personal}
    natives = {index for index, column in enumerate(head.columns) if column in head.natives}
    header = Header(head.columns, (), has_native=bool(natives))
    header = _add_file_values(header, head, mapping)
    with tempfile.TemporaryDirectory() as work, duckdb.connect() as connection:
        path = Path(work) / "head.csv"
        with TextTable(path, list(head.columns), head.name) as table:
            for number, record in enumerate(records, start=1):
                cells = [
                    f"{NATIVE_MARK}{cell}" if index in natives and cell else cell
                    for index, cell in enumerate(record)
                ]
                table.write(cells, number)
        plain = _without_persons(mapping, personal)
        return _read(connection, path, contract, plain, header, head.name, personal)


def _add_file_values(header: Header, head: FileHead, mapping: Mapping) -> Header:
    """What the name of the file or its titles say for all records."""
    if not mapping.file_values and mapping.year_from is None:
        return header
    return add_file_values(replace(header, titles=head.titles), mapping, head.name)


def _without_persons(mapping: Mapping, personal: set[str]) -> Mapping:
    """The mapping without fields that name persons: a preview has no key for pseudonyms."""
    columns = {name: column for name, column in mapping.columns.items() if name not in personal}
    left = {name for names in columns.values() for name in list_names(names)}
    optional = tuple(name for name in mapping.optional_columns if name in left)
    return mapping.model_copy(update={"columns": columns, "optional_columns": optional})


def _read(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    contract: Contract,
    mapping: Mapping,
    header: Header,
    name: str,
    personal: set[str],
) -> list[tuple[dict[str, str | None], tuple[str, ...]]]:
    from pipelines.landing.field_checks import problem_expressions
    from pipelines.readers.csv_reader import scan_as_text
    from pipelines.readers.field_texts import select_texts
    from pipelines.readers.safe_bytes import LineEnds
    from pipelines.readers.text_marks import delivered_text

    delivered = scan_as_text(path, header, name, LineEnds())
    texts = select_texts(contract, mapping, header, delivered.number(), "record")
    fields = [item.name for item in contract.fields]
    shown = ", ".join(delivered_text(f'"{field}"') for field in fields)
    problems = ", ".join(problem_expressions(contract))
    rows = connection.execute(
        f"select {shown}, [{problems}] from ({texts}) order by _row_number"
    ).fetchall()
    result = []
    for row in rows:
        values = dict(zip(fields, row[:-1], strict=True))
        values |= dict.fromkeys(personal, SHOWN_PERSON)
        found = tuple(_say(problem) for problem in row[-1] if problem is not None)
        result.append((values, found))
    return result


def _say(problem: dict[str, Any]) -> str:
    field, found, reason = problem.values()
    return f"{field}: {reason}" if found is None else f"{field}: {reason}, found {found!r}"
