"""SQL that turns a text of a declared form into the canonical text of its type.

A value that is not in the declared form is marked, so that it fits no type and says what was
expected: only the declared form is read. Everything else is left to the patterns of the types.
"""

from __future__ import annotations

from pipelines.contracts.contract import ContractField
from pipelines.mappings.mapping import Mapping
from pipelines.readers.csv_header import NATIVE_MARK
from pipelines.readers.moment_forms import (
    date_form,
    ordered_date_form,
    period_form,
    time_form,
    zoned_iso,
)
from pipelines.readers.number_forms import has_number_form, number_form
from pipelines.readers.text_marks import literal


def form_expression(
    field: ContractField, mapping: Mapping, has_native: bool, year: str | None = None
) -> str | None:
    """SQL that brings the field's text into its canonical form, or None where it stays as it is.

    With `has_native`, a text that begins with the mark of a typed value is canonical already.
    `year` is SQL for the year of dates whose form has none.
    """
    name = f'"{field.name}"'
    form = _declared_form(name, field, mapping, year)
    if not has_native:
        return form
    native = _native_form(f"substr({name}, 2)", field, mapping)
    is_native = f"starts_with({name}, {literal(NATIVE_MARK)})"
    return f"case when {is_native} then {native} else {form or name} end"


def _declared_form(
    name: str, field: ContractField, mapping: Mapping, year: str | None
) -> str | None:
    if has_number_form(field, mapping):
        return number_form(name, field, mapping)
    if field.type == "date" and mapping.date_formats:
        return date_form(name, mapping, year)
    if field.type == "date" and (mapping.date_order, mapping.date_separator) != ("ymd", "-"):
        return ordered_date_form(name, mapping)
    if field.type == "period" and mapping.period_formats:
        return period_form(name, mapping, year, field.periods)
    if field.type == "timestamp" and mapping.timestamp_formats:
        return time_form(name, mapping, year)
    if field.type == "timestamp" and mapping.time_zone is not None:
        return zoned_iso(name, mapping.time_zone)
    return None


def _native_form(name: str, field: ContractField, mapping: Mapping) -> str:
    """A typed date may be the midnight of a time, and the other way round; a period may be a day of
    its month."""
    midnight = f"regexp_full_match({name}, '\\d{{4}}-\\d\\d-\\d\\d[T ]00:00:00(\\.0+)?Z?')"
    if field.type == "date":
        return f"case when {midnight} then left({name}, 10) else {name} end"
    if field.type == "period" and mapping.period_formats:
        is_day = f"regexp_full_match({name}, '\\d{{4}}-\\d\\d-\\d\\d')"
        day = f"try_cast(left({name}, 10) as date)"
        return f"case when {midnight} or {is_day} then {field.periods.of_day(day)} else {name} end"
    if field.type == "timestamp":
        is_date = f"regexp_full_match({name}, '\\d{{4}}-\\d\\d-\\d\\d')"
        time = f"case when {is_date} then {name} || 'T00:00:00' else {name} end"
        return zoned_iso(f"({time})", mapping.time_zone) if mapping.time_zone else time
    return name
