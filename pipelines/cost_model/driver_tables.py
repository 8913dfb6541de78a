"""Read the quantities of typed-in drivers: one CSV file per driver of the kind `table`.

`cost_model/drivers/ID.csv` has a header and one row per quantity:

| column        | needed           | meaning                                                     |
|---------------|------------------|-------------------------------------------------------------|
| `sender_id`   | with `senders`   | whose money the row splits                                  |
| `receiver_id` | always           | who receives                                                |
| `quantity`    | always           | how much, as 12 or 12.5, with at most 12 decimals           |
| `valid_from`  | may be left out  | first day on which the row counts                           |
| `valid_to`    | may be left out  | first day on which it does not any more                     |

Assumes UTF-8 and commas. Guarantees that a quantity is the decimal in the file, digit by digit,
and that every problem of every file is reported at once with file, line, driver and remedy.
Limits: cost centres are known by deliveries only, so one that no master knows is an open item of
the build and no problem here.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path

from pipelines.cost_model.schema import Driver
from pipelines.errors import Problem

DIRECTORY_NAME = "drivers"
COLUMNS = ("sender_id", "receiver_id", "quantity", "valid_from", "valid_to")
QUANTITY = re.compile(r"\d{1,18}(\.\d{1,12})?")
KNOWN_SHOWN = 12

Known = Mapping[str, Collection[str] | None]
"""Kind of entity -> its ids; None or absent where only deliveries say them."""


@dataclass(frozen=True)
class TableRow:
    """One typed-in quantity, and the span of time in which it counts."""

    driver_id: str
    sender_id: str | None
    receiver_id: str
    quantity: Decimal
    valid_from: date | None
    valid_to: date | None


@dataclass
class _TableFile:
    """One file on the way to being checked."""

    name: str
    driver: Driver
    problems: list[Problem]

    def complain(self, line: int, message: str, remedy: str, found: str | None = None) -> None:
        where = f"{self.name}:{line}"
        text = f"{self.driver.id}: {message}"
        self.problems.append(Problem(where, text, found=found, remedy=remedy))


def read_driver_tables(
    cost_model: Path, drivers: list[Driver], known: Known
) -> tuple[list[TableRow], list[Problem]]:
    """The rows of all tables, and what is wrong with them. Rows are whole only without problems."""
    rows: list[TableRow] = []
    problems: list[Problem] = []
    tables = {driver.id: driver for driver in drivers if driver.table is not None}
    for driver in tables.values():
        name = f"{cost_model.name}/{DIRECTORY_NAME}/{driver.id}.csv"
        file = _TableFile(name, driver, problems)
        rows += _read_table(cost_model / DIRECTORY_NAME / f"{driver.id}.csv", file, known)
    for path in sorted((cost_model / DIRECTORY_NAME).glob("*")):
        if path.suffix != ".csv" or path.stem not in tables:
            where = f"{cost_model.name}/{DIRECTORY_NAME}/{path.name}"
            problems.append(_refuse_orphan(where, path.stem, tables))
    return rows, problems


def _refuse_orphan(where: str, stem: str, tables: Collection[str]) -> Problem:
    close = get_close_matches(stem, tables, n=1)
    remedy = f"Is '{close[0]}.csv' meant?" if close else "Declare the driver in drivers.yml."
    return Problem(where, "no driver of the kind table has this file", remedy=remedy)


def _read_table(path: Path, file: _TableFile, known: Known) -> list[TableRow]:
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        file.complain(1, "file is missing", f"Type its quantities into {file.name}.")
        return []
    except UnicodeDecodeError:
        file.complain(1, "is not UTF-8", "Save it as CSV in UTF-8.")
        return []
    reader = csv.reader(text.splitlines(), strict=True)
    rows: list[tuple[int, TableRow]] = []
    try:
        header = next(reader, [])
        if not _check_header(header, file):
            return []
        for values in reader:
            if values:
                row = _read_row(dict(zip(header, values, strict=False)), len(header), values)
                rows += _check_row(reader.line_num, row, file, known)
    except csv.Error as error:
        file.complain(reader.line_num, f"is not CSV: {error}", "Close the quotes of the line.")
    if not rows and not any(item.file.startswith(f"{file.name}:") for item in file.problems):
        file.complain(1, "has no quantity", "Type in at least one row.")
    _refuse_doubles(rows, file)
    return [row for _, row in rows]


def _check_header(header: list[str], file: _TableFile) -> bool:
    table = file.driver.table
    assert table is not None
    needed = {"receiver_id", "quantity"} | ({"sender_id"} if table.senders else set())
    found = set(header)
    before = len(file.problems)
    for name in sorted(needed - found):
        file.complain(1, f"the column '{name}' is missing", f"Columns: {', '.join(COLUMNS)}.")
    for name in header:
        if name not in COLUMNS or header.count(name) > 1:
            message = f"the column '{name}' is unknown, or there twice"
            file.complain(1, message, f"Columns: {', '.join(COLUMNS)}.")
    if "sender_id" in found and not table.senders:
        remedy = "Say in drivers.yml what the senders are (senders), or leave the column out."
        file.complain(1, "has senders, and its 'table' names no kind of sender", remedy)
    return len(file.problems) == before


def _read_row(cells: dict[str, str], width: int, values: list[str]) -> dict[str, str] | None:
    """The cells without spaces around them; None where the row has another number of them."""
    if len(values) != width:
        return None
    return {name: value.strip() for name, value in cells.items()}


def _check_row(
    line: int, cells: dict[str, str] | None, file: _TableFile, known: Known
) -> Iterator[tuple[int, TableRow]]:
    if cells is None:
        file.complain(line, "has more or fewer cells than the header", "Give each column a cell.")
        return
    table = file.driver.table
    assert table is not None
    before = len(file.problems)
    _require_known(line, "receiver", cells["receiver_id"], known.get(table.receivers), file)
    if table.senders is not None:
        _require_known(line, "sender", cells["sender_id"], known.get(table.senders), file)
    quantity = cells["quantity"]
    if not QUANTITY.fullmatch(quantity):
        message = "a quantity is no negative number and has at most 18 digits and 12 decimals"
        remedy = "Write it as 12 or 12.5, without signs, spaces and thousands separators."
        file.complain(line, message, remedy, found=repr(quantity))
    span = _read_span(line, cells, file)
    if len(file.problems) == before:
        ids = (cells.get("sender_id") or None, cells["receiver_id"])
        yield line, TableRow(file.driver.id, *ids, Decimal(quantity), *span)


def _require_known(
    line: int, kind: str, found: str, ids: Collection[str] | None, file: _TableFile
) -> None:
    if not found:
        file.complain(line, f"has no {kind}", f"Fill {kind}_id.")
    elif ids is not None and found not in ids:
        close = get_close_matches(found, ids, n=1)
        listed = ", ".join(sorted(ids)[:KNOWN_SHOWN]) or "none"
        remedy = f"Is '{close[0]}' meant?" if close else f"Known: {listed}."
        file.complain(line, f"unknown {kind} '{found}'", remedy)


def _read_span(
    line: int, cells: dict[str, str], file: _TableFile
) -> tuple[date | None, date | None]:
    days: list[date | None] = []
    for name in ("valid_from", "valid_to"):
        text = cells.get(name, "")
        day = _read_date(text)
        days.append(day)
        if text and day is None:
            file.complain(line, f"{name} is no date", "Write it as 2026-03-31.", found=repr(text))
    start, end = days
    if start and end and start >= end:
        remedy = "The row counts from valid_from to the day before valid_to."
        file.complain(line, f"valid_to {end} is not after valid_from {start}", remedy)
    return start, end


def _read_date(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    # Python reads 20260331 and 2026-W14-2 as well.
    return day if day.isoformat() == text else None


def _refuse_doubles(rows: list[tuple[int, TableRow]], file: _TableFile) -> None:
    """A receiver with two quantities at one time would have the weight of both."""
    seen: dict[tuple[str | None, str], list[tuple[int, TableRow]]] = {}
    for line, row in rows:
        others = seen.setdefault((row.sender_id, row.receiver_id), [])
        for other_line, other in others:
            if _overlap(other, row):
                message = f"the receiver '{row.receiver_id}' stands in line {other_line} already"
                file.complain(line, message, "Keep one, or give them times that do not overlap.")
        others.append((line, row))


def _overlap(first: TableRow, second: TableRow) -> bool:
    ends_before = first.valid_to and second.valid_from and first.valid_to <= second.valid_from
    starts_after = first.valid_from and second.valid_to and second.valid_to <= first.valid_from
    return not (ends_before or starts_after)
