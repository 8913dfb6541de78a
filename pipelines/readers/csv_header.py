"""Read the header of a delivery and compare it with what its mapping declares.

DuckDB maps columns by position when types are given and takes a first record for a header without
a word; so the header is read and compared here, before the parser sees the file.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from pipelines.errors import DeliveryRefusedError, Problem
from pipelines.mappings.mapping import NUMBERED, Mapping

MAX_HEADER_COLUMNS = 1000
MAX_HEADER_CHARACTERS = 1 << 21
COLUMNS_SHOWN = 40
SHOWN_CHARACTERS = 1000
OTHER_DELIMITERS = {";": "';'", "\t": "tabs", "|": "'|'", ",": "','"}
NATIVE_MARK = "\x1d"
"""Before a text that a reader made of a typed value, and that is in its canonical form."""


@dataclass(frozen=True)
class Header:
    """The header of a delivery as it is, and what of it the mapping does not name."""

    columns: tuple[str, ...]
    """Names by position; a column that is not there has the empty name."""
    unknown: tuple[str, ...]
    notes: tuple[str, ...] = ()
    """What was passed over or changed while the delivery was read."""
    has_native: bool = False
    """Whether values that the format types begin with NATIVE_MARK: they are canonical already."""
    has_ragged: bool = False
    """Whether records of another width are among the delivered ones, each marked as that."""
    left_out: int = 0
    """Records that a condition of the mapping leaves out."""
    titles: tuple[str, ...] = ()
    """The lines before the header, where something is read from them."""
    file_values: tuple[tuple[str, str], ...] = ()
    """(field, text) of what the name of the file or its titles say for all records."""
    year: str | None = None
    """The year that they say."""


def read_header(path: Path, mapping: Mapping, name: str) -> Header:
    """Read and check the header of the file called `name`. Raises DeliveryRefusedError on a
    missing, doubled, unknown or misplaced column."""
    return check_header(_read_first_record(path, mapping, name), mapping, name)


def check_header(found: list[str], mapping: Mapping, name: str) -> Header:
    """Compare the columns of a delivery with its mapping. Raises DeliveryRefusedError."""
    if len(found) > MAX_HEADER_COLUMNS:
        expected = f"at most {MAX_HEADER_COLUMNS}"
        raise _refuse(name, f"has {len(found)} columns", expected, f"{len(found):,}")
    columns = _number_doubled(found, mapping, name)
    if mapping.unpivot is not None:
        needed = (*mapping.unpivot.id_columns, *mapping.unpivot.value_columns)
        _refuse_missing(name, columns, [(column,) for column in needed], mapping)
        return Header(tuple(columns), ())
    # Columns that headings give are there once the records are read.
    header = check_columns([*columns, *mapping.group_headings], mapping, name)
    return replace(header, columns=tuple(columns))


def check_columns(columns: list[str], mapping: Mapping, name: str) -> Header:
    """Compare distinct columns with the fields and derivations of the mapping."""
    wanted = [
        mapping.column_names(field)
        for field in mapping.columns
        if not mapping.is_field_optional(field)
    ]
    _refuse_missing(name, columns, [*wanted, *mapping.other_columns()], mapping)
    _refuse_two_names(name, columns, mapping)
    names = mapping.field_column_names()
    unknown = tuple(column for column in columns if not mapping.reads_column(column))
    if unknown and mapping.unknown_columns == "refuse":
        raise _refuse(
            name,
            f"has columns that its mapping does not know: {', '.join(map(repr, unknown))}",
            expected=f"only {', '.join(mapping.all_column_names())}",
            found=_show_columns(columns),
        )
    if mapping.column_order == "exact":
        _refuse_other_order(name, [column for column in columns if column in names], mapping)
    return Header(tuple(columns), unknown)


def _read_first_record(path: Path, mapping: Mapping, name: str) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        # One line may be as long as the file: only so much of it is read as a header can be.
        text = io.StringIO(file.read(MAX_HEADER_CHARACTERS), newline="")
    if mapping.quote:
        reader = csv.reader(text, delimiter=mapping.delimiter, quotechar=mapping.quote, strict=True)
    else:
        reader = csv.reader(text, delimiter=mapping.delimiter, quoting=csv.QUOTE_NONE, strict=True)
    try:
        return next(reader)
    except (csv.Error, StopIteration) as error:
        found = str(error) or "no record at all"
        raise _refuse(name, "has no readable header", "a header", found) from None


def _number_doubled(columns: list[str], mapping: Mapping, name: str) -> list[str]:
    """The second column called `name` becomes `name#2`, where the mapping expects that."""
    named = mapping.all_column_names()
    expected = {match[1] for item in named if (match := NUMBERED.fullmatch(item))}
    result: list[str] = []
    seen: Counter[str] = Counter()
    for column in columns:
        seen[column] += 1
        is_unread = not mapping.reads_column(column) and mapping.unknown_columns == "log"
        if seen[column] > 1 and column not in expected and not is_unread:
            raise _refuse_twice(name, column, columns)
        is_first = seen[column] == 1 and f"{column}#1" not in named
        result.append(column if is_first else f"{column}#{seen[column]}")
    if len(set(result)) != len(result):
        double = next(column for column in result if result.count(column) > 1)
        raise _refuse_twice(name, double, columns)
    return result


def _refuse_twice(name: str, column: str, columns: list[str]) -> DeliveryRefusedError:
    message = f"has the column {column!r} twice"
    return _refuse(name, message, "each column once", _show_columns(columns))


def _refuse_missing(
    name: str, columns: list[str], wanted: list[tuple[str, ...]], mapping: Mapping
) -> None:
    missing = [names for names in wanted if not set(names) & set(columns)]
    if not missing:
        return
    found = _show_columns(columns)
    expected = f"the columns {', '.join(' or '.join(names) for names in missing)}"
    if columns and columns[0].startswith("#"):
        raise _refuse(
            name, "begins with a comment", expected="the header in the first line", found=found
        )
    if len(columns) == 1 and mapping.format == "csv":
        for delimiter, shown in OTHER_DELIMITERS.items():
            if delimiter in columns[0] and delimiter != mapping.delimiter:
                declared = f"columns separated by {mapping.delimiter!r}"
                raise _refuse(name, f"is separated by {shown}", declared, found)
    hints = []
    for names in missing:
        close = get_close_matches(names[0], columns, n=1)
        hints.append(" or ".join(names) + (f" (is {close[0]!r} meant?)" if close else ""))
    remedy = (
        "Nothing was loaded. Correct the file or the source's mapping, where 'optional_columns' "
        "names what a delivery may lack, then land it again."
    )
    message = f"lacks {', '.join(hints)}"
    problem = Problem(name, message, expected=expected, found=found, remedy=remedy)
    raise DeliveryRefusedError(problem)


def _refuse_two_names(name: str, columns: list[str], mapping: Mapping) -> None:
    named = [(f"the field {field}", mapping.column_names(field)) for field in mapping.columns]
    named += [("one thing", names) for names in mapping.other_columns()]
    for what, names in named:
        present = [column for column in names if column in columns]
        if len(present) > 1:
            raise _refuse(
                name,
                f"has several columns for {what}: {', '.join(present)}",
                expected=f"one of {', '.join(names)}",
                found=_show_columns(columns),
            )


def _refuse_other_order(name: str, columns: list[str], mapping: Mapping) -> None:
    expected = [column for column in mapping.field_column_names() if column in columns]
    for number, (want, got) in enumerate(zip(expected, columns, strict=True), start=1):
        if want != got:
            raise _refuse(
                name,
                f"has its columns in another order: column {number} is {got!r}, not {want!r}",
                expected=", ".join(expected),
                found=", ".join(columns),
            )


def _show_columns(columns: list[str]) -> str:
    shown = ", ".join(columns[:COLUMNS_SHOWN])
    return shown if len(shown) <= SHOWN_CHARACTERS else f"{shown[:SHOWN_CHARACTERS]}…"


def _refuse(
    name: str, message: str, expected: str | None = None, found: str | None = None
) -> DeliveryRefusedError:
    remedy = "Nothing was loaded. Correct the file or the source's mapping, then land it again."
    return DeliveryRefusedError(
        Problem(name, message, expected=expected, found=found, remedy=remedy)
    )
