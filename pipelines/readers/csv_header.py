"""Read the header of a CSV delivery and compare it with what its mapping declares.

DuckDB maps columns by position when types are given and takes a first record for a header without
a word; so the header is read and compared here, before the parser sees the file.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from pipelines.errors import DeliveryRefusedError, Problem
from pipelines.mappings.mapping import Mapping

MAX_HEADER_COLUMNS = 1000
MAX_HEADER_CHARACTERS = 1 << 21
COLUMNS_SHOWN = 40
OTHER_DELIMITERS = {";": "';'", "\t": "tabs", "|": "'|'"}


@dataclass(frozen=True)
class Header:
    """The header of a delivery as it is, and what of it the mapping does not name."""

    columns: tuple[str, ...]
    unknown: tuple[str, ...]


def read_header(path: Path, mapping: Mapping, name: str) -> Header:
    """Read and check the header of the file called `name`. Raises DeliveryRefusedError on a
    missing, doubled, unknown or misplaced column."""
    columns = _read_first_record(path, name)
    if len(columns) > MAX_HEADER_COLUMNS:
        expected = f"at most {MAX_HEADER_COLUMNS}"
        raise _refuse(name, f"has {len(columns)} columns", expected=expected)
    doubled = sorted({column for column in columns if columns.count(column) > 1})
    if doubled:
        raise _refuse(name, f"has the column {doubled[0]!r} twice", expected="each column once")
    _refuse_missing(name, columns, mapping)
    known = set(mapping.columns.values())
    unknown = tuple(column for column in columns if column not in known)
    if unknown and mapping.unknown_columns == "refuse":
        raise _refuse(
            name,
            f"has columns that its mapping does not know: {', '.join(map(repr, unknown))}",
            expected=f"only {', '.join(mapping.columns.values())}",
        )
    if mapping.column_order == "exact":
        _refuse_other_order(name, columns, mapping)
    return Header(tuple(columns), unknown)


def _read_first_record(path: Path, name: str) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        # One line may be as long as the file: only so much of it is read as a header can be.
        text = file.read(MAX_HEADER_CHARACTERS)
    try:
        return next(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (csv.Error, StopIteration) as error:
        raise _refuse(name, f"has no readable header ({error})", expected="a header") from None


def _refuse_missing(name: str, columns: list[str], mapping: Mapping) -> None:
    optional = set(mapping.optional_columns)
    missing = [
        column
        for column in mapping.columns.values()
        if column not in columns and column not in optional
    ]
    if not missing:
        return
    found = ", ".join(columns[:COLUMNS_SHOWN])
    expected = f"the columns {', '.join(missing)}"
    if columns and columns[0].startswith("#"):
        raise _refuse(
            name, "begins with a comment", expected="the header in the first line", found=found
        )
    if len(columns) == 1:
        for delimiter, shown in OTHER_DELIMITERS.items():
            if delimiter in columns[0]:
                raise _refuse(name, f"is separated by {shown}", expected="columns separated by ','")
    hints = []
    for column in missing:
        close = get_close_matches(column, columns, n=1)
        hints.append(f"{column} (is {close[0]!r} meant?)" if close else column)
    raise _refuse(name, f"lacks {', '.join(hints)}", expected=expected, found=found)


def _refuse_other_order(name: str, columns: list[str], mapping: Mapping) -> None:
    expected = [column for column in mapping.columns.values() if column in columns]
    for number, (want, got) in enumerate(zip(expected, columns, strict=True), start=1):
        if want != got:
            raise _refuse(
                name,
                f"has its columns in another order: column {number} is {got!r}, not {want!r}",
                expected=", ".join(expected),
                found=", ".join(columns),
            )


def _refuse(
    name: str, message: str, expected: str | None = None, found: str | None = None
) -> DeliveryRefusedError:
    remedy = "Nothing was loaded. Correct the file or the source's mapping, then land it again."
    return DeliveryRefusedError(
        Problem(name, message, expected=expected, found=found, remedy=remedy)
    )
