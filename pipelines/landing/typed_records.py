"""The records of a delivery with the types of their contract, each known to be good or not.

Two ways lead there, and both read the delivery once:

- *written*: the texts are checked, cast and written to Parquet in one statement;
- *viewed*: a Parquet delivery whose columns are exact already is read where it lies, by a stored
  query (`native_records` says when); a hundred million records are not written a second time.

A field that holds text has a pattern to fit. Where a column has few different values, those are
looked at instead of the records: five columns of 100 M records take half a second so, and fifteen
by record. Only where one does not fit, the records with it are looked for.

The lake keeps the query that gives the records back as `records.sql` beside the files it names.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.contracts.contract import Contract, ContractField
from pipelines.landing.field_checks import (
    TEXT_TYPES,
    cast_expression,
    good_field_expression,
    is_free_text,
)
from pipelines.readers.field_texts import CHANGES
from pipelines.readers.text_marks import literal

if TYPE_CHECKING:
    import duckdb

    from pipelines.readers.delivered import Delivered

RECORDS_NAME = "records.parquet"
VIEW_NAME = "records.sql"
ORIGINAL_NAME = "original"
QUARANTINE_NAME = "quarantine.parquet"
MEASURES_COLUMN = "measures"
"""Column of a quarantine file: every number of the record that can be read, as a JSON object."""

DIRECTORY_TOKEN = "{directory}"
"""Stands in a stored query for the directory of its load."""

MANY_RECORDS = 20_000
"""Below that, a look at every record costs less than the planning of one by value."""
SAMPLE_RECORDS = 200_000
FEW_VALUES = 0.1
"""A column with at most this share of different values in a sample is looked at by value."""

IS_FORMED = "_is_formed"
NEGATIVE_ZEROS = "_negative_zeros"


@dataclass(frozen=True)
class TypedRecords:
    """Records with every field of the contract typed, NULL where a text cannot be read."""

    relation: str
    """What stands behind `from`: the fields, `_row_number`, whether all fields but the texts have
    their form (`_is_formed`), and how many numbers are written as -0 (`_negative_zeros`)."""
    good: str
    """SQL: whether a record keeps its contract; 'true' where all do."""
    view: str
    """SQL that gives all records back from the load's directory."""
    is_viewed: bool
    """Whether they are read from the delivery itself."""

    @property
    def are_all_good(self) -> bool:
        return self.good == "true"


@dataclass(frozen=True)
class RecordTexts:
    """Queries for every field of a delivery as text, and `_row_number`."""

    sql: str
    """Its `_row_number` may be empty."""
    numbered: str
    are_clean: bool = False
    """Whether no text can hold a control character but tabs and line ends."""


def write_typed(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    texts: RecordTexts,
    delivered: Delivered,
    directory: Path,
) -> TypedRecords:
    """Check, cast and write the records that `texts` selects; refuses what cannot be read.

    A record's number is its place in the file, so the order of the file must be kept or written
    down. Numbering costs a third more, and is done only where the records come with numbers or
    where DuckDB would not write them in their order.
    """
    path = directory / RECORDS_NAME
    is_numbered = delivered.is_numbered
    typed = ", ".join(f'{cast_expression(field)} as "{field.name}"' for field in contract.fields)
    plumbing = f"{_formed(contract)} as {IS_FORMED}, "
    plumbing += f"{_count_negative_zeros(contract)} as {NEGATIVE_ZEROS}, {CHANGES}"
    target = f"to {literal(str(path))} (format parquet, compression zstd)"
    copy = f"copy (select {typed}, {plumbing} from ({texts.sql})) {target}"
    with delivered.reading():
        if is_numbered or not _keeps_order(connection, copy):
            is_numbered = True
            typed = f"{typed}, _row_number, {plumbing}"
            copy = f"copy (select {typed} from ({texts.numbered}) order by _row_number) {target}"
        connection.execute(copy)
    names = ", ".join(f'"{field.name}"' for field in contract.fields)
    number = "_row_number" if is_numbered else "file_row_number + 1 as _row_number"
    source = f"read_parquet('{DIRECTORY_TOKEN}/{RECORDS_NAME}', file_row_number = true)"
    relation = f"(select {names}, {number}, {IS_FORMED}, {NEGATIVE_ZEROS}, {CHANGES} from {source})"
    relation = place(relation, directory)
    good = find_good(connection, contract, relation, are_clean=texts.are_clean)
    return TypedRecords(relation, good, f"select {names}, {number} from {source}", is_viewed=False)


def find_good(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    relation: str,
    *,
    are_clean: bool = False,
) -> str:
    """SQL over `relation` that says whether a record is good: 'true' where all of them are.

    `are_clean`: no text holds a control character, so that free texts need no second look.
    """
    texts = [
        field
        for field in contract.fields
        if is_checked_by_value(field) and not (are_clean and is_free_text(field))
    ]
    few = set(_list_columns_of_few_values(connection, relation, texts))
    by_record = [f"bool_and({good_field_expression(f)})" for f in texts if f.name not in few]
    by_value = [
        f"(select bool_and({good_field_expression(field)}) "
        f'from (select distinct "{field.name}" from {relation}))'
        for field in texts
        if field.name in few
    ]
    passes = [f"bool_and({IS_FORMED})", *by_record]
    row = connection.execute(f"select {', '.join([*passes, *by_value])} from {relation}").fetchone()
    assert row is not None
    checked = [None, *(f for f in texts if f.name not in few), *(f for f in texts if f.name in few)]
    # Of no records nothing is said; none of them is bad.
    failed = [field for field, is_good in zip(checked, row, strict=True) if is_good is False]
    conditions = [IS_FORMED if field is None else good_field_expression(field) for field in failed]
    return " and ".join(conditions) or "true"


def is_checked_by_value(field: ContractField) -> bool:
    """Whether a field's text is kept as it came, so that it can be checked once it is written."""
    return field.type in TEXT_TYPES and field.type != "json"


def write_accepted(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    records: TypedRecords,
    quarantined: int,
    directory: Path,
) -> None:
    """Leave in the directory only what counts: the good records, and the query that reads them.

    Where all records are good, the file stays as it was written.
    """
    view = records.view
    names = ", ".join(f'"{field.name}"' for field in contract.fields)
    if quarantined and records.is_viewed:
        waiting = f"read_parquet('{DIRECTORY_TOKEN}/{QUARANTINE_NAME}')"
        view = (
            f"select * from ({view}) as records "
            f"anti join (select _row_number from {waiting}) as waiting using (_row_number)"
        )
    elif quarantined:
        accepted = directory / f"accepted-{RECORDS_NAME}"
        connection.execute(
            f"copy (select {names}, _row_number from {records.relation} where {records.good} "
            f"order by _row_number) to {literal(str(accepted))} "
            "(format parquet, compression zstd)"
        )
        accepted.replace(directory / RECORDS_NAME)
        view = f"select {names}, _row_number from read_parquet('{DIRECTORY_TOKEN}/{RECORDS_NAME}')"
    (directory / VIEW_NAME).write_text(f"{view}\n", "utf-8")


def place(sql: str, directory: Path) -> str:
    """A stored query over the files in `directory`."""
    import glob

    # Only quoted names of files hold the token, and a path is a glob to DuckDB.
    return sql.replace(DIRECTORY_TOKEN, glob.escape(str(directory)).replace("'", "''"))


def read_view(directory: Path) -> str | None:
    """The query over the records of a load, None where it has none of its own."""
    try:
        text = (directory / VIEW_NAME).read_text("utf-8")
    except FileNotFoundError:
        return None
    return place(text.strip(), directory)


def has_records(directory: Path) -> bool:
    """Whether the records of a load can be read."""
    return (directory / VIEW_NAME).exists() or (directory / RECORDS_NAME).exists()


def _keeps_order(connection: duckdb.DuckDBPyConnection, copy: str) -> bool:
    """Whether the plan of a `copy` writes batches in their order. Where a query has a join (and a
    long list behind `in` becomes one), DuckDB promises no order and writes what is ready first."""
    row = connection.execute(f"explain (format json) {copy}").fetchone()
    assert row is not None
    return bool(json.loads(row[1])[0]["name"] == "BATCH_COPY_TO_FILE")


def _formed(contract: Contract) -> str:
    conditions = [good_field_expression(f) for f in contract.fields if not is_checked_by_value(f)]
    return " and ".join(conditions) or "true"


def _count_negative_zeros(contract: Contract) -> str:
    """How many numbers of a record are a zero with a sign, which is read as 0."""
    decimals = [field for field in contract.fields if field.type == "decimal"]
    # Of a case, only the texts that begin so are cast.
    counts = [
        f"case when starts_with(\"{field.name}\", '-0') "
        f"then cast(coalesce({cast_expression(field)} = 0, false) as utinyint) else 0 end"
        for field in decimals
    ]
    return f"cast({' + '.join(counts) or '0'} as utinyint)"


def _list_columns_of_few_values(
    connection: duckdb.DuckDBPyConnection, relation: str, fields: Sequence[ContractField]
) -> list[str]:
    row = connection.execute(f"select count(*) from {relation}").fetchone()
    if not fields or row is None or row[0] < MANY_RECORDS:
        return []
    counts = ", ".join(f'approx_count_distinct("{field.name}")' for field in fields)
    row = connection.execute(
        f"select count(*), {counts} from (select * from {relation} limit {SAMPLE_RECORDS})"
    ).fetchone()
    assert row is not None
    most = row[0] * FEW_VALUES
    return [field.name for field, count in zip(fields, row[1:], strict=True) if count <= most]
