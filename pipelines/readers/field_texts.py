"""From the columns of a delivery to the text of every field, by its mapping, in SQL.

Each stage is a select over the one before, so that no expression is repeated:
columns -> forms -> zeros to the left -> value maps -> signs -> times -> period -> pseudonyms. A
field that no stage concerns passes through as it was delivered.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.contracts.contract import Contract, ContractField, FieldType
from pipelines.mappings.mapping import (
    DerivedTime,
    Mapping,
    ReadColumn,
    find_derived_period_field,
    find_row_key_field,
)
from pipelines.readers.csv_header import NATIVE_MARK, Header
from pipelines.readers.field_forms import (
    MISREAD_MARK,
    form_expression,
    is_misread,
    literal,
    mark_expression,
)
from pipelines.readers.personal_texts import list_personal_fields, pseudonym_expression

KEY_CHARACTERS = 16
VALUES_SHOWN = 12


def select_texts(
    contract: Contract, mapping: Mapping, header: Header, table: str, sha256: str
) -> str:
    """SQL that selects `_row_number`, every field as text (NULL where there is none) and the
    helper columns from the delivered `table`. `sha256` is the hash of the file."""
    first = _first_stage(contract, mapping, header, sha256)
    sql = f"select _row_number, {', '.join(first)} from {table}"
    for stage in _later_stages(contract, mapping, header):
        if stage:
            changed = ", ".join(f'{text} as "{name}"' for name, text in stage.items())
            sql = f"select * replace ({changed}) from ({sql})"
    return sql


def list_helpers(mapping: Mapping) -> list[ContractField]:
    """The columns that something is derived from, as fields of their own."""
    return [
        ContractField(name=helper_name(item), type=item.type, description="", is_required=False)
        for item in dict.fromkeys(mapping.helper_columns())
    ]


def helper_name(column: ReadColumn) -> str:
    """What a helper column is called beside the fields."""
    return f"_{column.type}_{column.column}".replace('"', "")


def count_stripped(mapping: Mapping, header: Header, table: str) -> str | None:
    """SQL that counts the values of `table` from which spaces are removed, if any are to be."""
    if not mapping.strip_text:
        return None
    texts = [
        _without_mark(f"column_{number}", header.has_native)
        for number, column in enumerate(header.columns)
        if column and column not in header.unknown
    ]
    counts = " + ".join(f"count(*) filter ({text} <> trim({text}))" for text in texts)
    return f"select {counts or '0'} from {table}"


def _first_stage(
    contract: Contract, mapping: Mapping, header: Header, sha256: str
) -> Iterator[str]:
    key = find_row_key_field(mapping, contract)
    for field in contract.fields:
        if field.name == key:
            text = f"{literal(sha256[:KEY_CHARACTERS] + '-')} || _row_number"
        elif field.name in mapping.constants:
            text = literal(mapping.constants[field.name])
        else:
            text = _column_text(mapping.column_names(field.name), mapping, header)
        yield f'{text} as "{field.name}"'
    for helper in dict.fromkeys(mapping.helper_columns()):
        yield f'{_column_text((helper.column,), mapping, header)} as "{helper_name(helper)}"'


def _column_text(names: tuple[str, ...], mapping: Mapping, header: Header) -> str:
    """A column is called by its position in the delivery: `column_0` ..."""
    column = next((name for name in names if name in header.columns), None)
    if column is None:
        return "cast(null as varchar)"
    name = f"column_{header.columns.index(column)}"
    tokens = ", ".join(literal(token) for token in ("", *mapping.null_tokens))
    bare = _without_mark(name, header.has_native)
    if not mapping.strip_text:
        return f"case when {bare} in ({tokens}) then null else {name} end"
    # A typed value has no spaces around it; its mark stays.
    return f"case when trim({bare}) in ({tokens}) then null else trim({name}) end"


def _later_stages(contract: Contract, mapping: Mapping, header: Header) -> Iterator[dict[str, str]]:
    forms = {
        field.name: form_expression(field, mapping, header.has_native)
        for field in (*contract.fields, *list_helpers(mapping))
        if field.name not in mapping.constants
    }
    yield {name: text for name, text in forms.items() if text is not None}
    yield {
        name: f'case when regexp_full_match("{name}", \'\\d+\') and length("{name}") < {width} '
        f'then lpad("{name}", {width}, \'0\') else "{name}" end'
        for name, width in mapping.pad_left.items()
    }
    yield {
        name: _map_values(name, values, mapping.value_defaults.get(name))
        for name, values in mapping.value_maps.items()
    }
    yield {name: _flip_sign(name) for name in mapping.sign_flip}
    yield {
        name: _derive_time(contract, name, derived)
        for name, derived in mapping.derived_times.items()
    }
    yield _derive_period(contract, mapping)
    yield {
        name: pseudonym_expression(f'"{name}"')
        for name in list_personal_fields(contract)
        if name in mapping.columns or name in mapping.constants
    }


def _map_values(name: str, values: dict[str, str], default: str | None) -> str:
    cases = " ".join(f"when {literal(old)} then {literal(new)}" for old, new in values.items())
    shown = ", ".join(map(repr, list(values)[:VALUES_SHOWN]))
    more = "" if len(values) <= VALUES_SHOWN else f" or {len(values) - VALUES_SHOWN} more"
    other = mark_expression(f'"{name}"', f"one of {shown}{more}, which its value map names")
    if default is not None:
        other = literal(default)
    return (
        f'case when "{name}" is null or starts_with("{name}", {literal(MISREAD_MARK)}) '
        f'then "{name}" else case "{name}" {cases} else {other} end end'
    )


def _flip_sign(name: str) -> str:
    return (
        f'case when starts_with("{name}", \'-\') then substr("{name}", 2) '
        f"when regexp_full_match(\"{name}\", '\\d+(\\.\\d+)?') "
        f"and not regexp_full_match(\"{name}\", '[0.]+') then '-' || \"{name}\" "
        f'else "{name}" end'
    )


def _derive_time(contract: Contract, target: str, derived: DerivedTime) -> str:
    """The point in time that follows from another field; of what cannot be read, the mark."""
    name, kind = derived.of, contract.field(derived.of).type
    moment = f"try_cast(\"{name}\" || '-01' as date)" if kind == "period" else _moment(name, kind)
    day = f"cast({moment} as date)"
    point = {
        "month_start": f"date_trunc('month', {day})",
        "month_last_day": f"last_day({day})",
        "next_month": f"date_trunc('month', {day}) + interval 1 month",
        "next_day": f"{day} + interval 1 day",
    }[derived.point]
    form = "%Y-%m-%d" if contract.field(target).type == "date" else "%Y-%m-%dT%H:%M:%SZ"
    other = mark_expression(f'"{name}"', f"a {kind} to derive {target} from")
    marked = is_misread(f'"{name}"')
    return (
        f"case when ({moment}) is not null then strftime({point}, '{form}') "
        f'when {marked} then "{name}" when "{name}" is not null then {other} end'
    )


def _moment(name: str, kind: FieldType) -> str:
    """SQL for the date or the time in UTC that a text says; NULL where it says none."""
    if kind != "timestamp":
        return f'try_cast("{name}" as date)'
    zoned = f"try_cast(\"{name}\" as timestamptz) at time zone 'UTC'"
    has_zone = f"regexp_matches(\"{name}\", '(Z|[+-]\\d\\d:\\d\\d)$')"
    return f'case when {has_zone} then {zoned} else try_cast("{name}" as timestamp) end'


def _derive_period(contract: Contract, mapping: Mapping) -> dict[str, str]:
    period = find_derived_period_field(mapping, contract)
    source = mapping.period_from
    if period is None or source is None:
        return {}
    name = source if isinstance(source, str) else helper_name(source)
    # The field's own checks say what is wrong with a date; here it only has to be one.
    kind = contract.field(source).type if isinstance(source, str) else source.type
    moment = _moment(name, kind)
    is_date = f"regexp_matches(\"{name}\", '^\\d{{4}}-\\d\\d-\\d\\d')"
    other = mark_expression(f'"{name}"', f"a {kind} to derive the period from")
    marked = f'starts_with("{name}", {literal(MISREAD_MARK)})'
    return {
        period: f"case when {is_date} and ({moment}) is not null "
        f"then strftime({moment}, '%Y-%m') when {marked} then \"{name}\" "
        f'when "{name}" is not null then {other} end'
    }


def _without_mark(name: str, has_native: bool) -> str:
    if not has_native:
        return name
    mark = literal(NATIVE_MARK)
    return f"case when starts_with({name}, {mark}) then substr({name}, 2) else {name} end"
