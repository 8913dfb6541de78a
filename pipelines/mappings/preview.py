"""Show what a proposed mapping makes of the first records, with every problem that it leaves.

The values are converted one by one, for these few records only; landing reads files in DuckDB and
by its own rules, which are stricter. The forms of the types are those of landing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from pipelines.contracts.contract import Contract, ContractField
from pipelines.mappings.file_head import FileHead
from pipelines.mappings.value_shapes import EXPONENT, read_number_parts

SHOWN_RECORDS = 5


@dataclass(frozen=True)
class PreviewRecord:
    """One record as the mapping would read it."""

    number: int
    values: dict[str, str | None]
    problems: tuple[str, ...]


def preview_records(
    head: FileHead, contract: Contract, settings: dict[str, Any]
) -> tuple[PreviewRecord, ...]:
    """The first records of the head, mapped. Fields that are still to be decided are problems."""
    records = []
    for number, record in enumerate(head.records[:SHOWN_RECORDS], start=1):
        texts = dict(zip(head.columns, record, strict=True))
        records.append(_preview(number, texts, contract, settings))
    return tuple(records)


def _preview(
    number: int, texts: dict[str, str], contract: Contract, settings: dict[str, Any]
) -> PreviewRecord:
    values = {item.name: _read_field(item, texts, settings) for item in contract.fields}
    if settings.get("row_key"):
        values[contract.key[0]] = f"record-{number}"
    source = settings.get("period_from")
    if source and contract.period_field:
        date = values.get(source)
        values[contract.period_field] = date[:7] if date else None
    problems = (find_problem(item, values[item.name]) for item in contract.fields)
    return PreviewRecord(number, values, tuple(problem for problem in problems if problem))


def _read_field(item: ContractField, texts: dict[str, str], settings: dict[str, Any]) -> str | None:
    """The value of a field: of its column, of debit and credit, or with the sign of another."""
    sides = settings.get("net_of", {}).get(item.name)
    if sides is not None:
        debit = _read(item, sides["debit"], texts, settings)
        return _subtract(debit, _read(item, sides["credit"], texts, settings))
    value = _read(item, settings["columns"].get(item.name, ""), texts, settings)
    sign = settings.get("sign_from", {}).get(item.name)
    if sign is not None and texts[sign["column"]].strip() in sign["negative"]:
        return _subtract(None, value)
    return value


def _read(
    item: ContractField, column: str, texts: dict[str, str], settings: dict[str, Any]
) -> str | None:
    text = texts.get(column, "")
    if text == "" or text in settings.get("null_tokens", ()):
        return None
    pattern = settings.get("extract", {}).get(item.name)
    if pattern is not None and (found := re.fullmatch(pattern, text)):
        text = found[1]
    return convert_text(item, text, settings)


def _subtract(debit: str | None, credit: str | None) -> str | None:
    """Debit minus credit; what is no number is shown as it is."""
    try:
        if debit is None and credit is None:
            return None
        return f"{Decimal(debit or 0) - Decimal(credit or 0):f}"
    except InvalidOperation:
        return f"{debit or ''} / {credit or ''}"


def convert_text(item: ContractField, text: str, settings: dict[str, Any]) -> str:
    """The text in the canonical form of the field's type; as it is where that is not possible."""
    known = settings.get("value_maps", {}).get(item.name)
    if known is not None:
        return str(known.get(text.strip(), text))
    if item.type in ("decimal", "integer"):
        return _convert_number(text.strip(), settings)
    if item.type == "date":
        return _convert_date(text, settings)
    if item.type == "timestamp":
        return _convert_time(text, settings)
    return text


def _convert_number(text: str, settings: dict[str, Any]) -> str:
    parts = read_number_parts(text)
    if parts is None or parts[1] not in ("", "leading", settings.get("negative_form")):
        return text
    digits, form = parts
    if EXPONENT.fullmatch(digits):
        number = Decimal(digits.replace(settings.get("decimal_mark", "."), "."))
        return f"{-number if form else number:f}"
    digits = digits.replace(settings.get("thousands_mark") or "\0", "")
    digits = digits.replace(settings.get("decimal_mark", "."), ".")
    return f"-{digits}" if form else digits


def _convert_date(text: str, settings: dict[str, Any]) -> str:
    mark = settings.get("date_separator", "-")
    form = {"y": "%y" if "century" in settings else "%Y", "m": "%m", "d": "%d"}
    order = settings.get("date_order", "ymd")
    try:
        read = datetime.strptime(text, mark.join(form[letter] for letter in order))
    except ValueError:
        return text
    return read.date().isoformat()


def _convert_time(text: str, settings: dict[str, Any]) -> str:
    for form in settings.get("timestamp_formats", ()):
        try:
            return datetime.strptime(text, form).isoformat()
        except ValueError:
            continue
    return text


def find_problem(item: ContractField, value: str | None) -> str | None:
    """What is wrong with a value for its field, None where nothing is."""
    from pipelines.landing.field_checks import PATTERNS

    if value is None:
        return f"{item.name}: is missing" if item.is_required else None
    if item.allowed_values and value not in item.allowed_values:
        return f"{item.name}: expected one of {', '.join(item.allowed_values)}, found {value!r}"
    if item.is_personal:
        return None  # A pseudonym takes its place, which has the form of its type.
    pattern, expected = PATTERNS[item.type]
    if not re.fullmatch(pattern, value):
        return f"{item.name}: expected {expected}, found {value!r}"
    return None
