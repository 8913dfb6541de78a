"""From the columns of a delivery to the text of every field, by its mapping, in SQL.

Each stage is a select over the one before, so that no expression is repeated:
columns -> extracts -> forms -> debit and credit -> points moved -> rounding -> zeros to the left
-> value maps -> currencies of amounts -> codes of names -> signs -> last days -> defaults
-> derived times -> period
-> pseudonyms. A field that no stage concerns passes through as it was delivered.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipelines.contracts.contract import Contract, ContractField
from pipelines.mappings.identifier_names import list_named_fields
from pipelines.mappings.mapping import (
    Mapping,
    ReadColumn,
    find_derived_period_field,
    find_row_key_field,
)
from pipelines.mappings.setting_parts import list_names, year_column
from pipelines.readers.case_texts import (
    appended_list,
    condition_of,
    list_object,
    sum_case,
    summed_list,
)
from pipelines.readers.column_texts import (
    bare_text,
    braced_text,
    column_text,
    count_stripped,
    extracted_text,
    joined_text,
    object_text,
    without_mark,
)
from pipelines.readers.csv_header import Header
from pipelines.readers.currency_texts import currency_stages, first_marks
from pipelines.readers.field_forms import form_expression
from pipelines.readers.moment_texts import day_after, derived_time, period_of_moment
from pipelines.readers.name_codes import code_of_name
from pipelines.readers.number_texts import (
    flip_sign,
    is_rounded_off,
    round_number,
    sign_number,
    split_number,
    subtract,
    write_out,
)
from pipelines.readers.personal_texts import list_personal_fields, pseudonym_expression
from pipelines.readers.text_marks import is_marked, literal, mark_expression

if TYPE_CHECKING:
    import duckdb

__all__ = [
    "count_stripped",
    "helper_name",
    "list_helpers",
    "note_changes",
    "select_texts",
]

CHANGES = "_changes"
"""A bit for each field that is rounded, and then for each that has a default: whether they changed
its value."""
ENGINE_DECIMALS = 12
KEY_CHARACTERS = 16
VALUES_SHOWN = 12


def select_texts(
    contract: Contract, mapping: Mapping, header: Header, table: str, sha256: str
) -> str:
    """SQL that selects `_row_number`, every field as text (NULL where there is none), the helper
    columns and the marks of changes from the delivered `table`. `sha256` is the file's hash."""
    first = _first_stage(contract, mapping, header, sha256)
    sql = f"select _row_number, {', '.join(first)} from {table}"
    for stage in _later_stages(contract, mapping, header):
        if stage:
            changed = ", ".join(f'{text} as "{name}"' for name, text in stage.items())
            sql = f"select * replace ({changed}) from ({sql})"
    return sql


def list_roundings(contract: Contract, mapping: Mapping) -> dict[str, int]:
    """Field -> decimals to which it is rounded: as the mapping says, or as its contract does."""
    rounded = {
        field.name: ENGINE_DECIMALS
        for field in contract.fields
        if field.is_rounded and field.name not in mapping.constants
    }
    return {name: n for name, n in rounded.items() if mapping.fills_field(name)} | mapping.round_to


def note_changes(
    connection: duckdb.DuckDBPyConnection, contract: Contract, mapping: Mapping, relation: str
) -> tuple[str, ...]:
    """Notes on what rounding and defaults changed, from the marks that the records of `relation`
    carry: how many values of each field."""
    what = [
        *(
            f"values of {name} rounded to {n} decimals"
            for name, n in list_roundings(contract, mapping).items()
        ),
        *(f"records without {name} given {v!r}" for name, v in mapping.defaults.items()),
    ]
    if not what:
        return ()
    bits = (f"count(*) filter ({CHANGES} & {1 << bit} <> 0)" for bit in range(len(what)))
    row = connection.execute(f"select {', '.join(bits)} from {relation}").fetchone()
    assert row is not None
    return tuple(f"{count:,} {text}" for count, text in zip(row, what, strict=True) if count)


def list_helpers(mapping: Mapping) -> list[ContractField]:
    """The columns that something is derived from, as fields of their own."""
    helpers = [
        ContractField(name=helper_name(item), type=item.type, description="", is_required=False)
        for item in dict.fromkeys(mapping.helper_columns())
    ]
    sides = [_side_name(side, field) for field in mapping.net_of for side in ("debit", "credit")]
    return helpers + [
        ContractField(name=name, type="decimal", description="", is_required=False)
        for name in (*sides, *dict.fromkeys(_case_helpers(mapping).values()))
    ]


def helper_name(column: ReadColumn) -> str:
    """What a helper column is called beside the fields."""
    return f"_{column.type}_{column.column}".replace('"', "")


def _side_name(side: str, field: str) -> str:
    return f"_{side}_of_{field}"


def _case_helpers(mapping: Mapping) -> dict[tuple[str, str], str]:
    """(field, column) -> the helper that holds the text of the column for the cases of the field.
    A list has the name of its column with the key behind it."""
    columns = {
        (field, column): None
        for field, cases in mapping.cases.items()
        for case in cases
        for column in (*case.number_columns(), *case.lists)
    }
    return {key: f"_part_{number}_of_{key[0]}" for number, key in enumerate(columns)}


def _case_name(field: str) -> str:
    return f"_case_of_{field}"


def _list_name(field: str) -> str:
    return f"_list_behind_{field}"


def _sign_name(field: str) -> str:
    return f"_sign_of_{field}"


def _first_stage(
    contract: Contract, mapping: Mapping, header: Header, sha256: str
) -> Iterator[str]:
    key = find_row_key_field(mapping, contract)
    file_values = dict(header.file_values)
    for field in contract.fields:
        if field.name == key:
            text = f"{literal(sha256[:KEY_CHARACTERS] + '-')} || _row_number"
        elif field.name in mapping.constants:
            text = literal(mapping.constants[field.name])
        elif field.name in file_values:
            text = literal(file_values[field.name])
        elif field.name in mapping.join:
            text = joined_text(mapping.join[field.name], mapping, header)
        elif field.name in mapping.cases:
            text = "cast(null as varchar)"
        elif field.name in mapping.object_of_list:
            text = list_object(mapping.object_of_list[field.name], mapping, header)
        elif field.name in mapping.object_from:
            text = object_text(mapping.object_from[field.name], mapping, header)
        else:
            text = column_text(mapping.column_names(field.name), mapping, header)
        yield f'{text} as "{field.name}"'
    yield from _first_helpers(mapping, header)
    yield from first_marks(contract, mapping, header)
    yield f"cast(0 as bigint) as {CHANGES}"


def _first_helpers(mapping: Mapping, header: Header) -> Iterator[str]:
    """Columns beside the fields, that later stages need."""
    for helper in dict.fromkeys(mapping.helper_columns()):
        yield f'{column_text((helper.column,), mapping, header)} as "{helper_name(helper)}"'
    for field, sides in mapping.net_of.items():
        for side, names in (("debit", sides.debit), ("credit", sides.credit)):
            text = column_text(list_names(names), mapping, header)
            yield f'{text} as "{_side_name(side, field)}"'
    yield from _first_of_cases(mapping, header)
    for field, item in mapping.append_list.items():
        yield f'{bare_text((item.column,), mapping, header)} as "{_list_name(field)}"'
    for field, sign in mapping.sign_from.items():
        text = bare_text(list_names(sign.column), mapping, header)
        yield f'{text} as "{_sign_name(field)}"'


def _first_of_cases(mapping: Mapping, header: Header) -> Iterator[str]:
    """The number of the case that fits, per field, and the texts that cases add up."""
    lists = {
        (field, column): key
        for field, cases in mapping.cases.items()
        for case in cases
        for column, key in case.lists.items()
    }
    for (field, column), name in _case_helpers(mapping).items():
        if (field, column) in lists:
            text = summed_list(column, lists[field, column], mapping, header)
        else:
            text = column_text((column,), mapping, header)
        yield f'{text} as "{name}"'
    for field, cases in mapping.cases.items():
        fits = " ".join(
            f"when {condition_of(case, mapping, header)} then {number}"
            for number, case in enumerate(cases)
        )
        yield f'case {fits} end as "{_case_name(field)}"'


def _resolve_cases(mapping: Mapping) -> dict[str, str]:
    helpers = _case_helpers(mapping)
    result = {}
    for field, cases in mapping.cases.items():
        names = {column: name for (of, column), name in helpers.items() if of == field}
        values = " ".join(
            f"when {number} then {sum_case(field, case, names, mapping)}"
            for number, case in enumerate(cases)
        )
        result[field] = f'case "{_case_name(field)}" {values} end'
    return result


def _later_stages(contract: Contract, mapping: Mapping, header: Header) -> Iterator[dict[str, str]]:
    yield {
        **{n: extracted_text(f'"{n}"', regex, header) for n, regex in mapping.extract.items()},
        **{name: braced_text(f'"{name}"') for name in mapping.unbraced_json},
    }
    year = _year_expression(mapping, header)
    forms = {
        field.name: form_expression(field, mapping, header.has_native, year)
        for field in (*contract.fields, *list_helpers(mapping))
        if field.name not in mapping.constants
    }
    yield {name: text for name, text in forms.items() if text is not None}
    yield _resolve_cases(mapping)
    yield {
        name: appended_list(f'"{name}"', f'"{_list_name(name)}"', item)
        for name, item in mapping.append_list.items()
    }
    yield from _number_stages(contract, mapping)
    yield {
        name: f'case when regexp_full_match("{name}", \'\\d+\') and length("{name}") < {width} '
        f'then lpad("{name}", {width}, \'0\') else "{name}" end'
        for name, width in mapping.pad_left.items()
    }
    yield {
        name: _map_values(name, values, mapping.value_defaults.get(name))
        for name, values in mapping.value_maps.items()
    }
    yield from currency_stages(contract, mapping)
    yield {
        name: _code_unless_marked(name, told)
        for name, told in list_named_fields(mapping, contract).items()
    }
    yield {
        name: sign_number(f'"{name}"', f'"{_sign_name(name)}"', sign)
        for name, sign in mapping.sign_from.items()
    }
    yield {name: flip_sign(f'"{name}"') for name in mapping.sign_flip}
    yield {n: day_after(f'"{n}"', contract.field(n).type) for n in mapping.inclusive_ends}
    yield _fill_defaults(mapping, len(list_roundings(contract, mapping)))
    yield _derive_times(contract, mapping)
    yield _derive_period(contract, mapping)
    yield {
        name: pseudonym_expression(f'"{name}"')
        for name in list_personal_fields(contract)
        if mapping.fills_field(name)
    }


def _year_expression(mapping: Mapping, header: Header) -> str | None:
    """SQL for the year of dates that have none, where the mapping says where it stands."""
    source = mapping.year_from
    if source is None:
        return None
    if source.column is None:
        return literal(header.year or "")
    name = f'"{helper_name(year_column(source.column))}"'
    text = without_mark(name, header.has_native)
    return f"nullif(regexp_extract({text}, {literal(source.pattern)}, 1), '')"


def _number_stages(contract: Contract, mapping: Mapping) -> Iterator[dict[str, str]]:
    yield {
        name: subtract(f'"{_side_name("debit", name)}"', f'"{_side_name("credit", name)}"')
        for name in mapping.net_of
    }
    powers = {name: mapping.power_of_ten.get(name, 0) for name in mapping.allow_scientific}
    powers |= mapping.power_of_ten
    yield {name: split_number(f'"{name}"', power) for name, power in powers.items()}
    yield {name: write_out(f'"{name}"') for name in powers}
    yield _round(list_roundings(contract, mapping))


def _round(digits: dict[str, int]) -> dict[str, str]:
    rounded = {name: round_number(f'"{name}"', n) for name, n in digits.items()}
    conditions = [is_rounded_off(f'"{name}"', n) for name, n in digits.items()]
    return rounded | _mark_changes(conditions, 0)


def _fill_defaults(mapping: Mapping, first: int) -> dict[str, str]:
    filled = {
        name: f'coalesce("{name}", {literal(value)})' for name, value in mapping.defaults.items()
    }
    conditions = [f'"{name}" is null' for name in mapping.defaults]
    return filled | _mark_changes(conditions, first)


def _mark_changes(conditions: list[str], first: int) -> dict[str, str]:
    """The marks with a bit more for each condition that holds, from the bit `first` on."""
    marks = [
        f"case when {condition} then {1 << bit} else 0 end"
        for bit, condition in enumerate(conditions, start=first)
    ]
    return {CHANGES: " | ".join([CHANGES, *marks])} if marks else {}


def _code_unless_marked(name: str, told: dict[str, str]) -> str:
    quoted = f'"{name}"'
    code = code_of_name(quoted, told)
    return f"case when {is_marked(quoted)} then {quoted} else {code} end"


def _map_values(name: str, values: dict[str, str], default: str | None) -> str:
    cases = " ".join(f"when {literal(old)} then {literal(new)}" for old, new in values.items())
    shown = ", ".join(map(repr, list(values)[:VALUES_SHOWN]))
    more = "" if len(values) <= VALUES_SHOWN else f" or {len(values) - VALUES_SHOWN} more"
    other = mark_expression(f'"{name}"', f"one of {shown}{more}, which its value map names")
    if default is not None:
        other = literal(default)
    quoted = f'"{name}"'
    return (
        f"case when {quoted} is null or {is_marked(quoted)} "
        f"then {quoted} else case {quoted} {cases} else {other} end end"
    )


def _derive_times(contract: Contract, mapping: Mapping) -> dict[str, str]:
    return {
        name: derived_time(
            f'"{item.of}"', contract.field(item.of), item.point, contract.field(name)
        )
        for name, item in mapping.derived_times.items()
    }


def _derive_period(contract: Contract, mapping: Mapping) -> dict[str, str]:
    period = find_derived_period_field(mapping, contract)
    source = mapping.period_from
    if period is None or source is None:
        return {}
    name = source if isinstance(source, str) else helper_name(source)
    kind = contract.field(source).type if isinstance(source, str) else source.type
    return {period: period_of_moment(f'"{name}"', kind, contract.field(period).periods)}
