"""SQL for the text that a field begins with: its column, several joined, or an object made of them.

A column is called by its position in the delivery: `column_0` ... Values that the format types keep
their mark where a column gives the whole value, for they need no declared form.
"""

from __future__ import annotations

import json

from pipelines.mappings.mapping import Join, Mapping
from pipelines.readers.csv_header import NATIVE_MARK, Header
from pipelines.readers.text_marks import literal, mark_expression

NOTHING = "cast(null as varchar)"


def column_text(names: tuple[str, ...], mapping: Mapping, header: Header) -> str:
    """SQL for the text of the column that has one of the names; NULL where it has no value."""
    column = next((name for name in names if name in header.columns), None)
    if column is None:
        return NOTHING
    name = f"column_{header.columns.index(column)}"
    tokens = ", ".join(literal(token) for token in ("", *mapping.null_tokens))
    bare = without_mark(name, header.has_native)
    if not mapping.strip_text:
        return f"case when {bare} in ({tokens}) then null else {name} end"
    # A typed value has no spaces around it; its mark stays.
    return f"case when trim({bare}) in ({tokens}) then null else trim({name}) end"


def bare_text(names: tuple[str, ...], mapping: Mapping, header: Header) -> str:
    """SQL for the text of a column, typed or not, without the mark of a typed value."""
    text = column_text(names, mapping, header)
    return f"({without_mark(f'({text})', header.has_native)})"


def joined_text(join: Join, mapping: Mapping, header: Header) -> str:
    """SQL for the texts of several columns with the separator between them; NULL where all of them
    are empty, misread where only some are: the rest would look like another value."""
    parts = [bare_text((column,), mapping, header) for column in join.columns]
    shown = ", ".join(f"coalesce({part}, '')" for part in parts)
    separator = literal(join.separator)
    expected = f"a value in each of the columns {', '.join(join.columns)}"
    joined = f"concat_ws({separator}, {shown})"
    return (
        f"case when coalesce({', '.join(parts)}) is null then null "
        f"when {' or '.join(f'({part}) is null' for part in parts)} "
        f"then {mark_expression(joined, expected)} else {joined} end"
    )


def object_text(prefix: str, mapping: Mapping, header: Header) -> str:
    """SQL for a JSON object of the columns whose names begin with `prefix`: the rest of the name is
    the key. Empty values are left out; NULL where none is left."""
    pairs = [
        f"{literal(json.dumps(column[len(prefix) :], ensure_ascii=False) + ':')} "
        f"|| cast(to_json({bare_text((column,), mapping, header)}) as varchar)"
        for column in header.columns
        if column.startswith(prefix)
    ]
    if not pairs:
        return NOTHING
    return f"'{{' || nullif(concat_ws(',', {', '.join(pairs)}), '') || '}}'"


def extracted_text(name: str, pattern: str, header: Header) -> str:
    """SQL for the part of a text that the one group of `pattern` matches; misread where the whole
    text does not match."""
    text = without_mark(name, header.has_native)
    found = f"regexp_extract({text}, {literal(f'^(?:{pattern})$')}, 1)"
    expected = f"a text that matches {pattern}, as its mapping extracts"
    return (
        f"case when regexp_full_match({text}, {literal(pattern)}) then nullif({found}, '') "
        f"when {name} is not null then {mark_expression(text, expected)} end"
    )


def braced_text(name: str) -> str:
    """SQL for the text of an object with braces around it."""
    return f"'{{' || {name} || '}}'"


def without_mark(name: str, has_native: bool) -> str:
    """SQL for a text without the mark of a typed value."""
    if not has_native:
        return name
    mark = literal(NATIVE_MARK)
    return f"case when starts_with({name}, {mark}) then substr({name}, 2) else {name} end"


def count_stripped(mapping: Mapping, header: Header, table: str) -> str | None:
    """SQL that counts the values of `table` from which spaces are removed, if any are to be."""
    if not mapping.strip_text:
        return None
    texts = [
        without_mark(f"column_{number}", header.has_native)
        for number, column in enumerate(header.columns)
        if column and column not in header.unknown
    ]
    counts = " + ".join(f"count(*) filter ({text} <> trim({text}))" for text in texts)
    return f"select {counts or '0'} from {table}"
