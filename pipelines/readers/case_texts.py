"""SQL for fields that are another thing in other records, and for what JSON lists hold.

A bill of one provider has several kinds of line, and its effective cost is in another column for
each of them. A case says which records it fits and what the field is there; what a delivery lacks
is empty, so that a field without its columns is empty as well, and never 0.
"""

from __future__ import annotations

from pipelines.mappings.mapping import Mapping
from pipelines.mappings.setting_parts import Case, ListObject, ListText
from pipelines.readers.column_texts import NOTHING, bare_text
from pipelines.readers.csv_header import Header
from pipelines.readers.text_marks import is_marked, literal, mark_expression

ANY = "*"
WIDE = "decimal(38, 18)"
NUMBER = r"-?\d{1,18}(\.\d{1,18})?"
SCIENTIFIC = r"-?\d{1,18}(\.\d+)?([eE][+-]?\d{1,2})?"


def condition_of(case: Case, mapping: Mapping, header: Header) -> str:
    """SQL: whether the case fits a record."""
    conditions = []
    for column, texts in case.when.items():
        text = bare_text((column,), mapping, header)
        if ANY in texts:
            conditions.append(f"{text} is not null")
        else:
            listed = ", ".join(map(literal, texts))
            conditions.append(f"coalesce({text} in ({listed}), false)")
    return " and ".join(conditions) or "true"


def sum_case(field: str, case: Case, helpers: dict[str, str], mapping: Mapping) -> str:
    """SQL for the value of a case: its text, or the sum of its columns. `helpers` are the names
    under which the texts of its columns stand."""
    if case.value is not None:
        return literal(case.value)
    terms = [(helpers[column], "+") for column in case.plus]
    terms += [(helpers[column], "-") for column in case.minus]
    terms += [(helpers[column], "+") for column in case.lists]
    if not terms:
        return NOTHING
    pattern = SCIENTIFIC if field in mapping.allow_scientific else NUMBER
    names = [f'"{name}"' for name, _ in terms]
    shown = "concat_ws(' / ', " + ", ".join(names) + ")"
    wrong = " or ".join(
        f"not coalesce(regexp_full_match({name}, {literal(pattern)}), true)" for name in names
    )
    total = " ".join(
        f"{sign} coalesce(try_cast({name} as {WIDE}), 0)"
        for name, (_, sign) in zip(names, terms, strict=True)
    )
    expected = f"numbers in the columns that {field} is made of"
    written = f"rtrim(rtrim(cast(cast(0 as {WIDE}) {total} as varchar), '0'), '.')"
    marked = " ".join(f"when {is_marked(name)} then {name}" for name in names)
    return (
        f"case when coalesce({', '.join(names)}) is null then null {marked} "
        f"when {wrong} then {mark_expression(shown, expected)} else {written} end"
    )


def summed_list(column: str, key: str, mapping: Mapping, header: Header) -> str:
    """SQL for the sum of a key's numbers over a JSON list, as text; 0 for an empty list."""
    text = bare_text((column,), mapping, header)
    values = _list_values(text, key)
    amounts = f"list_transform({values}, lambda item: try_cast(item as {WIDE}))"
    is_wrong = (
        f"len(list_filter({values}, lambda item: item is null or try_cast(item as {WIDE}) is null))"
        " > 0"
    )
    total = f"cast(coalesce(list_sum({amounts}), 0) as varchar)"
    expected = f"a JSON list of objects with a number called {key}"
    return (
        f"case when {text} is null then null "
        f"when not {_is_list(text)} or {is_wrong} then {mark_expression(text, expected)} "
        f"else {total} end"
    )


def list_object(item: ListObject, mapping: Mapping, header: Header) -> str:
    """SQL for a JSON object of the keys and values of a list; NULL where it has none."""
    text = bare_text((item.column,), mapping, header)
    pairs = (
        f"list_transform({_list_items(text)}, lambda entry: "
        f"cast(to_json(json_extract_string(entry, {_path(item.key)})) as varchar) || ':' || "
        f"cast(to_json(coalesce(json_extract_string(entry, {_path(item.value)}), '')) as varchar))"
    )
    joined = f"array_to_string({pairs}, ',')"
    expected = f"a JSON list of objects with {item.key} and {item.value}"
    return (
        f"case when {text} is null then null "
        f"when not {_is_list(text)} then {mark_expression(text, expected)} "
        f"else '{{' || nullif({joined}, '') || '}}' end"
    )


def appended_list(name: str, text: str, item: ListText) -> str:
    """SQL for a text with the entries of the list `text` behind it: `Core hours [Discount -1.50]`.
    A list that is none is judged where its numbers are added up."""
    shown = ", ".join(f"json_extract_string(entry, {_path(key)})" for key in item.keys)
    entries = f"list_transform({_list_items(text)}, lambda entry: concat_ws(' ', {shown}))"
    joined = f"array_to_string({entries}, '; ')"
    return (
        f"case when {text} is not null and {_is_list(text)} and nullif({joined}, '') is not null "
        f"then concat_ws(' ', {name}, '[' || {joined} || ']') else {name} end"
    )


def _path(key: str) -> str:
    return literal('$."' + key.replace('"', '\\"') + '"')


def _is_list(text: str) -> str:
    return f"coalesce(json_valid({text}) and json_type(try_cast({text} as json)) = 'ARRAY', false)"


def _list_items(text: str) -> str:
    """The entries of a list; none where the text is no list."""
    return f"coalesce(try_cast(case when {_is_list(text)} then {text} end as json[]), [])"


def _list_values(text: str, key: str) -> str:
    return (
        f"list_transform({_list_items(text)}, lambda entry: "
        f"json_extract_string(entry, {_path(key)}))"
    )
