"""JSON that loses nothing: numbers keep their digits, whatever their size and scale.

A number of an answer is written as it was read. A value of a database becomes a number where it is
one, digit by digit, and a text elsewhere: times in ISO form with their zone, NaN by its name, which
no number field lets pass.
"""

from __future__ import annotations

import json
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID


class Digits(str):
    """The digits of a number."""


def parse_exact(text: str) -> Any:
    """The value of a JSON text, its numbers as Digits. Raises ValueError where it is none, or
    where an object has a key twice."""
    return json.loads(
        text,
        parse_float=Digits,
        parse_int=Digits,
        parse_constant=_refuse_constant,
        object_pairs_hook=_refuse_doubled,
    )


def write_line(record: dict[str, Any]) -> bytes:
    """A record as a line of JSON in UTF-8. Raises TypeError for a value that has no exact form."""
    # Half of a character is no UTF-8, but its escape is: landing then says what is wrong.
    return f"{_write(record)}\n".encode("utf-8", "backslashreplace")


def _write(value: Any) -> str:
    if isinstance(value, Digits):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{_quote(str(k))}:{_write(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_write, value)) + "]"
    if isinstance(value, Decimal):
        return format(value, "f") if value.is_finite() else _quote(str(value))
    if isinstance(value, float):
        is_finite = value - value == 0
        return repr(value) if is_finite else _quote(str(value))
    if isinstance(value, datetime | date | time):
        return _quote(value.isoformat())
    if isinstance(value, UUID):
        return _quote(str(value))
    if value is None or isinstance(value, bool | int):
        return json.dumps(value)
    if isinstance(value, str):
        return _quote(value)
    raise TypeError(type(value).__name__)


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON")


def _refuse_doubled(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key occurs twice in an object")
    return result
