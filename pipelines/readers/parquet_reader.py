"""Read a Parquet delivery: columns by name, every value as exact canonical text.

What lies inside of a column of structures has its dotted name, `service.description`, as in JSON.
A binary float is not an amount: 0.1 is not in it. A decimal field that a file holds as one is
refused, unless its mapping declares to how many decimals it is rounded.
"""

from __future__ import annotations

import glob
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.contracts.contract import Contract
from pipelines.errors import DeliveryRefusedError, Problem
from pipelines.mappings.mapping import Mapping
from pipelines.readers.csv_header import NATIVE_MARK, Header, check_header
from pipelines.readers.delivered import Delivered
from pipelines.readers.text_marks import literal

if TYPE_CHECKING:
    import duckdb

MAGIC = b"PAR1"
TAIL_BYTES = 8
FLOATS = ("FLOAT", "DOUBLE")
NESTED = ("STRUCT", "MAP")


def scan_parquet(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    contract: Contract,
    mapping: Mapping,
    name: str,
) -> Delivered:
    """The records of the file at `path`: the columns that the mapping reads. Raises
    DeliveryRefusedError on a damaged file, missing columns or floats for decimals."""
    import duckdb

    _refuse_other_ends(path, name)
    source = show_source(path)
    try:
        described = connection.execute(f"describe select * from {source}").fetchall()
    except duckdb.Error as error:
        raise _refuse_damaged(name, error) from None
    own = [row for row in described if row[0] != "file_row_number"]
    # DuckDB gives the second of two equal names another one; in the file they are equal.
    leaves = _list_leaves(connection, source, own, mapping)
    header = check_header([*_list_names(connection, path), *leaves], mapping, name)
    whole = header.columns[: len(own)]
    types = {column: row[1] for column, row in zip(whole, own, strict=True)}
    queried = {column: quote_name(row[0]) for column, row in zip(whole, own, strict=True)}
    for leaf, (text, kind) in leaves.items():
        types[leaf], queried[leaf] = kind, text
    needed = _list_needed(header, mapping)
    fields = _list_fields(needed, mapping)
    notes: list[str] = []
    texts = []
    for number, column in enumerate(needed):
        field = fields.get(column)
        if _is_amount(contract, field) and types[column] in FLOATS:
            notes.append(_allow_float(name, column, field or "", mapping))
        digits = mapping.allow_float.get(field) if field else None
        text = _canonical_text(queried[column], types[column], digits)
        texts.append(f"{text} as column_{number}")
    relation = f"(select file_row_number + 1 as _row_number, {', '.join(texts)} from {source})"

    def explain(error: duckdb.Error) -> DeliveryRefusedError | None:
        if isinstance(error, duckdb.OutOfMemoryException):
            return None
        if isinstance(error, duckdb.IOException) and "space" in str(error):
            return None
        return _refuse_damaged(name, error)

    delivered = Delivered(
        Header(tuple(needed), header.unknown, tuple(notes), has_native=True),
        relation,
        is_numbered=True,
        explain=explain,
    )
    if leaves:
        # What lies inside of a column is read as text: no view of the file's own columns shows it.
        return delivered
    names = dict(zip(whole, (row[0] for row in own), strict=True))
    return replace(
        delivered,
        native_types=tuple(types[column] for column in needed),
        native_names=tuple(names[column] for column in needed),
        native_source=source,
    )


def _list_leaves(
    connection: duckdb.DuckDBPyConnection, source: str, own: list[Any], mapping: Mapping
) -> dict[str, tuple[str, str]]:
    """Values inside of columns that the mapping names, as `service.description` -> (SQL, type)."""
    wanted = {name for name in mapping.all_column_names() if "." in name}
    if not wanted:
        return {}
    return {name: leaf for name, leaf in describe_leaves(connection, source, own) if name in wanted}


def describe_leaves(
    connection: duckdb.DuckDBPyConnection, source: str, columns: list[Any], before: str = ""
) -> Iterator[tuple[str, tuple[str, str]]]:
    """(`a.b`, (SQL, type)) of every value inside of the columns that hold structures."""
    for column, kind, *_ in columns:
        if not kind.startswith("STRUCT") or kind.endswith("]"):
            continue
        inside = f"{before}{quote_name(column)}"
        found = connection.execute(f"describe select unnest({inside}) from {source}").fetchall()
        path = inside.replace('"', "")
        for row in found:
            yield f"{path}.{row[0]}", (f"{inside}.{quote_name(row[0])}", row[1])
        yield from describe_leaves(connection, source, found, f"{inside}.")


def _list_names(connection: duckdb.DuckDBPyConnection, path: Path) -> list[str]:
    """The columns as the file calls them, in order; parts of nested ones are left out."""
    rows = connection.execute(
        f"select name, num_children from parquet_schema({literal(glob.escape(str(path)))})"
    ).fetchall()
    names: list[str] = []
    # The rows are the tree of the schema, root first; each says how many children follow.
    waiting = [int(rows[0][1] or 0)]
    for name, children in rows[1:]:
        while waiting[-1] == 0:
            waiting.pop()
        waiting[-1] -= 1
        if len(waiting) == 1:
            names.append(name)
        if children:
            waiting.append(int(children))
    return names


def show_source(path: Path) -> str:
    """The file as a relation with its own columns and `file_row_number` (0 = first record)."""
    # A path is a glob to DuckDB; escaped, it means itself.
    text = literal(glob.escape(str(path)))
    return f"read_parquet({text}, hive_partitioning = false, file_row_number = true)"


def quote_name(column: str) -> str:
    """A column's own name as SQL writes it."""
    return '"' + column.replace('"', '""') + '"'


def _list_needed(header: Header, mapping: Mapping) -> list[str]:
    if mapping.unpivot is not None:
        return list(header.columns)
    return [column for column in header.columns if column not in header.unknown]


def _list_fields(columns: list[str], mapping: Mapping) -> dict[str, str]:
    """The field that each column gives; all values of a wide delivery give the same one."""
    fields = mapping.fields_of_columns()
    if mapping.unpivot is not None and mapping.unpivot.value_column in fields:
        value = fields[mapping.unpivot.value_column]
        fields |= {c: value for c in columns if c not in mapping.unpivot.id_columns}
    return fields


def _is_amount(contract: Contract, field: str | None) -> bool:
    return field is not None and contract.field(field).type == "decimal"


def _allow_float(name: str, column: str, field: str, mapping: Mapping) -> str:
    digits = mapping.allow_float.get(field)
    if digits is None:
        raise _refuse(
            name,
            f"holds the column {column} as a binary float",
            f"exact decimals for the field {field}",
            "float",
            "Ask for decimals, or declare allow_float with a rounding in its mapping.",
        )
    return f"column {column!r} is a binary float, rounded to {digits} decimals"


def _canonical_text(column: str, kind: str, digits: int | None) -> str:
    """SQL for the value as canonical text; texts stay as they are, to be read as declared."""
    if kind == "VARCHAR":
        return column
    if kind in FLOATS and digits is not None:
        text = f"format('{{:.{digits}f}}', cast({column} as double))"
    elif kind == "TIMESTAMP WITH TIME ZONE":
        text = f"strftime({column} at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')"
    elif kind.startswith(NESTED) or kind.endswith("]"):
        text = f"cast(to_json({column}) as varchar)"
    else:
        text = f"cast({column} as varchar)"
    return f"case when {column} is not null then '{NATIVE_MARK}' || {text} end"


def _refuse_other_ends(path: Path, name: str) -> None:
    """A footer that was cut off or overwritten shows in the last bytes."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(size - TAIL_BYTES, 0))
        tail = file.read()
    footer = int.from_bytes(tail[:4], "little")
    if size < 2 * len(MAGIC) + 4 or tail[4:] != MAGIC or footer > size - TAIL_BYTES - len(MAGIC):
        expected, found = "a whole Parquet file that ends with its footer", f"the end {tail!r}"
        remedy = "Ask the sender for the file again."
        raise _refuse(name, "is damaged or cut off", expected, found, remedy)


def _refuse_damaged(name: str, error: Exception) -> DeliveryRefusedError:
    found = str(error).split("\n")[0].replace(NATIVE_MARK, "")
    remedy = "Ask the sender for the file again."
    return _refuse(name, "is damaged", "a readable Parquet file", found, remedy)


def _refuse(
    name: str, message: str, expected: str, found: str, remedy: str
) -> DeliveryRefusedError:
    return DeliveryRefusedError(
        Problem(
            name, message, expected=expected, found=found, remedy=f"Nothing was loaded. {remedy}"
        )
    )
