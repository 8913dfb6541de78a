"""Read records of JSON, or of JSON lines, strictly: numbers digit by digit, each key once.

Parsers of JSON keep the last of two equal keys, turn 1e400 into infinity and round long integers.
Here a number stays its digits, NaN and doubled keys refuse the file. Only the columns that the
mapping reads are taken; `a.b` is `b` inside `a`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from pipelines.errors import DeliveryRefusedError, Problem
from pipelines.mappings.mapping import Mapping
from pipelines.readers.csv_header import NATIVE_MARK, Header, check_header
from pipelines.readers.text_table import TextTable

MAX_JSON_BYTES = 512 << 20
"""A file of JSON is parsed in memory; larger ones come as JSON lines."""
WHOLE_DOCUMENT = "."
"""`records_at` of a document that is itself the one record."""
MAX_LINE_CHARACTERS = 2_000_000
MAX_EXPONENT = 40
MAX_UNKNOWN = 1000
SHOWN_CHARACTERS = 80


class _Number(str):
    """The digits of a number."""


def write_records_as_csv(path: Path, mapping: Mapping, target: Path, name: str) -> Header:
    """Write the records of the UTF-8 file at `path` as a table of texts. Raises
    DeliveryRefusedError where the file is not strict JSON of records."""
    columns = list(mapping.all_column_names())
    seen: dict[str, None] = {}
    unknown: dict[str, None] = {}
    with TextTable(target, columns, name) as table:
        for number, record in enumerate(_read_records(path, mapping, name), start=1):
            values = _read_values(record, set(columns), unknown, number, name)
            seen.update(dict.fromkeys(values))
            if len(unknown) > MAX_UNKNOWN:
                found = f"more than {MAX_UNKNOWN} names"
                raise _refuse(name, f"record {number}", "names of columns", found)
            table.write([values.get(column, "") for column in columns], number)
    header = check_header([*(c for c in columns if c in seen), *unknown], mapping, name)
    present = tuple(column if column in seen else "" for column in columns)
    return Header(present, header.unknown, has_native=True)


def _read_records(path: Path, mapping: Mapping, name: str) -> Iterator[dict[str, Any]]:
    if mapping.format == "jsonl":
        yield from _read_lines(path, name)
        return
    if path.stat().st_size > MAX_JSON_BYTES:
        expected = f"at most {MAX_JSON_BYTES:,} bytes of JSON, or JSON lines"
        raise _refuse(name, "is too large", expected, f"{path.stat().st_size:,} bytes")
    value = _parse(path.read_text("utf-8-sig"), name, "the file")
    if mapping.records_at == WHOLE_DOCUMENT and isinstance(value, dict):
        yield value
        return
    for key in mapping.records_at.split(".") if mapping.records_at else ():
        value = value.get(key) if isinstance(value, dict) else None
    if not isinstance(value, list):
        where = f"a list at '{mapping.records_at}'" if mapping.records_at else "a list of records"
        raise _refuse(name, "holds no records", where, _say_kind(value))
    for number, record in enumerate(value, start=1):
        if not isinstance(record, dict):
            raise _refuse(name, f"record {number} is no object", "an object", _say_kind(record))
        yield record


def _read_lines(path: Path, name: str) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8-sig", newline="\n") as file:
        number = 0
        while line := file.readline(MAX_LINE_CHARACTERS):
            number += 1
            record = _parse(line, name, f"line {number}")
            if not isinstance(record, dict):
                raise _refuse(name, f"line {number} is no object", "an object", _say_kind(record))
            yield record


def _parse(text: str, name: str, where: str) -> Any:
    try:
        return json.loads(
            text,
            parse_float=_Number,
            parse_int=_Number,
            parse_constant=_refuse_constant,
            object_pairs_hook=_refuse_doubled,
        )
    except RecursionError:
        raise _refuse(name, f"{where} is nested too deeply", "flat records", "") from None
    except ValueError as error:
        raise _refuse(name, f"{where} is not strict JSON", "JSON", str(error)) from None


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON")


def _refuse_doubled(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        keys = [key for key, _ in pairs]
        double = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {double[:SHOWN_CHARACTERS]!r} occurs twice in an object")
    return result


def _read_values(
    record: dict[str, Any], wanted: set[str], unknown: dict[str, None], number: int, name: str
) -> dict[str, str]:
    """The wanted columns of a record as texts. Raises DeliveryRefusedError where one is there
    twice, as `a.b` and as `b` inside `a`."""
    values: dict[str, str] = {}
    try:
        _flatten(record, "", wanted, values, unknown)
    except RecursionError:
        message, found = f"record {number} is nested too deeply", "objects inside objects"
        raise _refuse(name, message, "flat records", found) from None
    except ValueError as error:
        message = f"record {number} holds a column twice"
        raise _refuse(name, message, "each column once", str(error)) from None
    return values


def _flatten(
    record: dict[str, Any],
    prefix: str,
    wanted: set[str],
    values: dict[str, str],
    unknown: dict[str, None],
) -> None:
    """Fill `values` with the wanted columns of a record, and `unknown` with the other leaves."""
    for key, value in record.items():
        path = f"{prefix}{key}"
        if path in values:
            raise ValueError(f"{path!r} beside the same inside an object")
        if path in wanted:
            values[path] = _render(value)
        elif isinstance(value, dict):
            _flatten(value, f"{path}.", wanted, values, unknown)
        else:
            unknown[path] = None


def _render(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, _Number):
        return NATIVE_MARK + _expand(value)
    if isinstance(value, bool):
        return NATIVE_MARK + ("true" if value else "false")
    if isinstance(value, str):
        # A text is read as declared, whatever it begins with.
        return value.replace(NATIVE_MARK, "\x1c")
    return NATIVE_MARK + _dump(value)


def _expand(number: str) -> str:
    """Digits without an exponent: 1.5e-7 is exact. What no field can hold stays, and fits none."""
    if "e" not in number.lower():
        return number
    try:
        value = Decimal(number)
    except InvalidOperation:  # An exponent that not even an exact decimal can have.
        return number
    return format(value, "f") if abs(value.adjusted()) <= MAX_EXPONENT else number


def _dump(value: Any) -> str:
    """JSON again, its numbers digit by digit."""
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{_dump(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_dump, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _say_kind(value: Any) -> str:
    kinds = {dict: "an object", list: "a list", type(None): "nothing", bool: "true or false"}
    return kinds.get(type(value), "a number" if isinstance(value, _Number) else "a text")


def _refuse(name: str, message: str, expected: str, found: str) -> DeliveryRefusedError:
    remedy = "Nothing was loaded. Correct the file or its mapping, then land it again."
    return DeliveryRefusedError(
        Problem(name, message, expected=expected, found=found or None, remedy=remedy)
    )
