"""What contradicts itself in the settings of a mapping, each fault as a sentence."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipelines.mappings.moment_formats import (
    MomentKind,
    find_equal_formats,
    find_format_fault,
    parse_format,
)

if TYPE_CHECKING:
    from pipelines.mappings.settings import Mapping

FITTING_FORMATS: dict[str, tuple[str, ...]] = {
    "encoding": ("csv", "json", "jsonl"),
    "delimiter": ("csv",),
    "quote": ("csv",),
    "header_row": ("csv", "xlsx"),
    "header_rows": ("csv", "xlsx"),
    "footer_rows": ("csv", "xlsx"),
    "footer_pattern": ("csv",),
    "ragged_rows": ("csv", "xlsx"),
    "sheet": ("xlsx",),
    "records_at": ("json",),
    "object_from": ("csv", "xlsx", "parquet"),
    "allow_float": ("parquet",),
    "compression": ("csv", "json", "jsonl"),
    "unpivot": ("csv", "xlsx", "parquet"),
}
"""Setting -> the formats that it says something about."""


def find_faults(mapping: Mapping) -> Iterator[str]:
    """Every fault, in the order in which a reader of the file meets the settings."""
    yield from _find_faults_of_file(mapping)
    yield from _find_faults_of_sources(mapping)
    yield from _find_faults_of_numbers(mapping)
    yield from _find_faults_of_times(mapping)
    yield from _find_faults_of_patterns(mapping)


def _find_faults_of_file(mapping: Mapping) -> Iterator[str]:
    for name, formats in FITTING_FORMATS.items():
        if name in mapping.model_fields_set and mapping.format not in formats:
            yield f"'{name}' says nothing about the format {mapping.format}"
    if mapping.footer_rows and mapping.footer_pattern is not None:
        yield "'footer_rows' and 'footer_pattern' exclude each other"
    if mapping.delimiter == mapping.quote or mapping.delimiter in "\r\n":
        yield "'delimiter' is the quote or a line end"
    try:
        # Codecs such as base64 or rot13 turn no bytes into text.
        is_text = codecs.lookup(mapping.encoding)._is_text_encoding
    except LookupError:
        is_text = False
    if not is_text:
        yield f"unknown encoding {mapping.encoding!r}"
    places: set[str] = {item.where for item in mapping.file_values.values()}
    places |= {mapping.year_from.where} if mapping.year_from else set()
    if "titles" in places and not mapping.has_titles():
        yield "a value stands in the lines before the header, and 'header_row' leaves none"


def _find_faults_of_sources(mapping: Mapping) -> Iterator[str]:
    names = mapping.field_column_names()
    for column in mapping.optional_columns:
        if column not in names:
            yield f"the optional column {column!r} is not mapped"
    for field in mapping.columns:
        if not mapping.column_names(field):
            yield f"'columns' names no column for the field {field}"
    given: dict[str, str] = {}
    for field, what in mapping.list_sources():
        if field in given:
            yield f"the field {field} has {given[field]} and {what}"
        given[field] = what
    for field, value in mapping.constants.items():
        if not value.strip():
            yield f"the constant {field} is empty; give it the value that every record has"
    for field in mapping.defaults:
        if field in mapping.constants:
            yield f"the field {field} has a constant and a default"
    named = [("extract", field) for field in mapping.extract]
    named += [("append_list", field) for field in mapping.append_list]
    for name, field in named:
        if field not in mapping.columns:
            yield f"'{name}' names {field}, which has no column"
    yield from _find_faults_of_value_maps(mapping)


def _find_faults_of_value_maps(mapping: Mapping) -> Iterator[str]:
    for field, values in mapping.value_maps.items():
        if not values:
            yield f"the value map of {field} is empty"
    for field in mapping.value_defaults:
        if field not in mapping.value_maps:
            yield f"'value_defaults' names {field}, which has no value map"


def _find_faults_of_numbers(mapping: Mapping) -> Iterator[str]:
    mark = mapping.thousands_mark
    taken = (mapping.decimal_mark, *mapping.minus_signs, *"()", *("+" * mapping.allow_plus))
    if mark is not None and mark in taken:
        yield f"'thousands_mark' cannot be {mark!r}"
    if mark is not None and mark.isalnum():
        yield "'thousands_mark' is a letter or a digit"
    if mapping.digit_groups != "thousands" and mark is None:
        yield "'digit_groups' needs the 'thousands_mark' between them"
    if mapping.allow_scientific and mapping.list_negative_forms() != ("leading",):
        yield "'allow_scientific' needs the negative form 'leading'"
    if not mapping.list_negative_forms():
        yield "'negative_form' names no form"
    if any(sign.isalnum() or sign in "().,+" or sign.isspace() for sign in mapping.minus_signs):
        yield "'minus_signs' holds what is no minus"
    for text in mapping.currency_marks:
        if text != text.strip() or set(text) & set("0123456789,-+()'"):
            yield f"'currency_marks' cannot hold {text!r}"


def _find_faults_of_times(mapping: Mapping) -> Iterator[str]:
    if mapping.date_separator.isalnum():
        yield "'date_separator' is a letter or a digit"
    if mapping.date_formats and {"date_order", "date_separator"} & mapping.model_fields_set:
        yield "'date_formats' and 'date_order' exclude each other"
    kinds: dict[MomentKind, tuple[str, ...]] = {
        "date": mapping.date_formats,
        "period": mapping.period_formats,
        "timestamp": mapping.timestamp_formats,
    }
    for kind, formats in kinds.items():
        for text in formats:
            if (fault := _find_fault_of_format(text, kind, mapping)) is not None:
                yield f"the {kind} format {text!r} {fault}"
                return
        if (equal := find_equal_formats(formats)) is not None:
            yield (
                f"the {kind} formats {equal[0]!r} and {equal[1]!r} may read one text as two days"
            )
    has_short = any("%y" in text for formats in kinds.values() for text in formats)
    if mapping.century and mapping.timestamp_formats and not has_short:
        shown = mapping.timestamp_formats[0]
        yield f"the timestamp format {shown!r} has no year of two digits, %y"
    if mapping.year_from and not any(kinds.values()):
        yield "'year_from' needs a format without a year"
    if mapping.time_zone is not None and not is_zone(mapping.time_zone):
        yield f"unknown time zone {mapping.time_zone!r}"


def _find_fault_of_format(text: str, kind: MomentKind, mapping: Mapping) -> str | None:
    try:
        has_own_year = bool({"Y", "y"} & set(parse_format(text).directives))
    except ValueError:
        has_own_year = False
    # Beside forms that lack the year there may be others that have it.
    has_year = mapping.year_from is not None and not has_own_year
    return find_format_fault(text, kind, has_century=mapping.century is not None, has_year=has_year)


def is_zone(name: str) -> bool:
    """Whether there is a time zone of that name."""
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _find_faults_of_patterns(mapping: Mapping) -> Iterator[str]:
    if mapping.footer_pattern is not None:
        try:
            re.compile(mapping.footer_pattern)
        except re.error as error:
            yield f"'footer_pattern' is no regular expression ({error})"
    for field, pattern in mapping.extract.items():
        if (fault := _find_fault_of_pattern(pattern)) is not None:
            yield f"'extract' of {field} {fault}"
    year = mapping.year_from
    if year is not None and (fault := _find_fault_of_pattern(year.pattern)) is not None:
        yield f"'year_from' {fault}"


def _find_fault_of_pattern(pattern: str) -> str | None:
    """What is wrong with a regular expression with one group, as DuckDB reads it."""
    import duckdb

    try:
        groups = re.compile(pattern).groups
        with duckdb.connect() as connection:
            connection.execute("select regexp_full_match('', ?)", [pattern]).fetchall()
    except (re.error, duckdb.Error) as error:
        return f"is no regular expression ({str(error).splitlines()[0]})"
    return None if groups == 1 else f"has {groups} groups, not one: the value"
