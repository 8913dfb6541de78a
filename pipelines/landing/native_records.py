"""Read a Parquet delivery where it lies: the types of its contract as a query over its own columns.

That is possible where every number, date and time is held exactly by the file itself, so that
nothing has to be read from text, and where the mapping derives nothing that needs all records at
once. Everything else is written typed by `typed_records`, which gives the same records.

Guarantees: a record that is good here has no problem as text, and the other way round; which of
the two ways a delivery took shows in its files only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipelines.contracts.contract import DUCKDB_TYPES, Contract, ContractField
from pipelines.contracts.periods import Periods
from pipelines.landing.field_checks import (
    ENGINE_DECIMALS,
    good_field_expression,
    is_money,
    minor_unit_expression,
)
from pipelines.landing.typed_records import (
    DIRECTORY_TOKEN,
    IS_FORMED,
    NEGATIVE_ZEROS,
    ORIGINAL_NAME,
    TypedRecords,
    find_good,
    is_checked_by_value,
)
from pipelines.mappings.mapping import Mapping, find_derived_period_field, find_row_key_field
from pipelines.money import AMOUNT_LIMIT, list_minor_unit_exceptions
from pipelines.readers.csv_header import Header
from pipelines.readers.field_texts import KEY_CHARACTERS
from pipelines.readers.moment_forms import UTC
from pipelines.readers.parquet_reader import quote_name
from pipelines.readers.personal_texts import names_persons
from pipelines.readers.text_marks import literal

if TYPE_CHECKING:
    import duckdb

    from pipelines.readers.delivered import Delivered

DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")
INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
TIMES = (
    "TIMESTAMP",
    "TIMESTAMP_S",
    "TIMESTAMP_MS",
    "TIMESTAMP_NS",
    "TIMESTAMP WITH TIME ZONE",
)
MOST_DIGITS = 18
"""Before the point of a number, as the pattern of a decimal has it."""
USUAL_DIGITS = 2
CURRENCY_TOKEN = "{currency}"
"""Stands in a condition for the currency of its record."""
STORED_SOURCE = (
    f"read_parquet('{DIRECTORY_TOKEN}/{ORIGINAL_NAME}', hive_partitioning = false, "
    "file_row_number = true)"
)


@dataclass(frozen=True)
class _NativeField:
    """One field in SQL over the columns of the file."""

    value: str
    condition: str = "true"
    """What a value that is there must meet besides its type."""
    tokens: tuple[str, ...] = ()
    """Texts that mean 'no value'."""
    is_null: bool = False
    delivered: str = ""
    """What the file holds, where the value may be empty although something was delivered."""


def view_native(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    mapping: Mapping,
    delivered: Delivered,
    sha256: str,
) -> TypedRecords | None:
    """The records of a delivery as a query over its file; None where they must be written."""
    if not delivered.native_types or not _reads_as_it_lies(contract, mapping):
        return None
    fields = {}
    for field in contract.fields:
        native = _make_field(contract, mapping, delivered, field, sha256)
        if native is None:
            return None
        fields[field] = native
    with delivered.reading():
        fields = _leave_out_needless_tokens(connection, fields, delivered)
        relation = f"({_select(fields, delivered.native_source)})"
        good = find_good(connection, contract, relation)
    return TypedRecords(
        relation, good, _select(fields, STORED_SOURCE, with_plumbing=False), is_viewed=True
    )


def _reads_as_it_lies(contract: Contract, mapping: Mapping) -> bool:
    """Whether the mapping neither looks at several records at once nor rewrites texts, and nobody's
    name has to be replaced."""
    return not (
        names_persons(contract, mapping)
        or mapping.unpivot
        or mapping.has_table_shape()
        or mapping.last_state_of
        or mapping.skip_blank_rows
        or mapping.strip_text
        or mapping.pad_left
        or mapping.value_maps
        or mapping.sign_flip
        or mapping.rewrites_fields()
    )


def _make_field(
    contract: Contract, mapping: Mapping, delivered: Delivered, field: ContractField, sha256: str
) -> _NativeField | None:
    header = delivered.header
    if field.name == find_row_key_field(mapping, contract):
        prefix = literal(sha256[:KEY_CHARACTERS] + "-")
        return _NativeField(f"{prefix} || (file_row_number + 1)")
    if field.name in mapping.constants:
        return _make_constant(field, mapping.constants[field.name])
    if field.name == find_derived_period_field(mapping, contract):
        return _derive_period(mapping, delivered, field.periods)
    column = _find_column(mapping.column_names(field.name), header)
    if column is None:
        return _NativeField(f"cast(null as {DUCKDB_TYPES[field.type]})", is_null=True)
    at = header.columns.index(column)
    name = quote_name(delivered.native_names[at])
    return _fit(field, name, delivered.native_types[at], mapping)


def _make_constant(field: ContractField, text: str) -> _NativeField:
    """A constant is checked as the text that it is."""
    name = f'"{field.name}"'
    check = good_field_expression(field).replace(name, literal(text))
    return _NativeField(f"cast({literal(text)} as {DUCKDB_TYPES[field.type]})", check)


def _fit(field: ContractField, name: str, kind: str, mapping: Mapping) -> _NativeField | None:
    """The field over a column of that type; None where the type does not hold it exactly."""
    if is_checked_by_value(field) and kind == "VARCHAR":
        return _NativeField(name, tokens=("", *mapping.null_tokens))
    if field.type == "decimal":
        return _fit_decimal(field, name, kind, mapping)
    if field.type == "integer" and kind in INTEGERS:
        # The largest integers of 64 bits have one digit more than the pattern lets pass.
        most = 10**MOST_DIGITS - 1
        condition = f"{name} between -{most} and {most}" if kind == "BIGINT" else "true"
        return _NativeField(f"cast({name} as bigint)", _and_minimum(condition, name, field))
    if field.type == "date" and kind == "DATE":
        return _NativeField(name, _has_year(name, field))
    if field.type == "boolean" and kind == "BOOLEAN":
        return _NativeField(name)
    if field.type == "timestamp" and kind in TIMES and mapping.time_zone in (None, UTC):
        return _NativeField(_in_utc(name, kind), _has_year(_in_utc(name, kind), field))
    return None


def _fit_decimal(
    field: ContractField, name: str, kind: str, mapping: Mapping
) -> _NativeField | None:
    digits = DECIMAL.fullmatch(kind)
    if (digits is None and kind not in INTEGERS) or field.at_most_field is not None:
        return None
    width, scale = (int(digits[1]), int(digits[2])) if digits else (MOST_DIGITS + 1, 0)
    if scale > mapping.round_to.get(field.name, ENGINE_DECIMALS):
        return None
    condition, value = "true", name
    if width - scale > MOST_DIGITS:
        most = 10**MOST_DIGITS
        condition = f"{name} > -{most} and {name} < {most}"
        # Beyond that it has no amount, as a text of as many digits has none.
        value = f"case when {condition} then {name} end"
    if is_money(field) and width - scale > len(str(AMOUNT_LIMIT)) - 1:
        condition = f"{condition} and {name} > -{AMOUNT_LIMIT} and {name} < {AMOUNT_LIMIT}"
    cut = _cut_to_minor_unit(name, scale, field) if field.minor_unit_of else None
    if cut is not None:
        condition = f"{condition} and {name} = {cut}"
    return _NativeField(
        f"cast({value} as {DUCKDB_TYPES['decimal']})",
        _and_minimum(condition, name, field),
        delivered=name,
    )


def _cut_to_minor_unit(name: str, scale: int, field: ContractField) -> str | None:
    """The number as its currency can say it; None where the type cannot say more."""
    if field.is_rounded or scale == 0:
        return None
    digits = sorted({USUAL_DIGITS, *list_minor_unit_exceptions()})
    cases = " ".join(
        # The cases of one expression must be of one type, or they would be rounded alike.
        f"when {count} then cast(round({name}, {count}) as decimal(38, {scale}))"
        for count in digits
        if count < scale
    )
    unit = minor_unit_expression(CURRENCY_TOKEN)
    return f"case {unit} {cases} else {name} end" if cases else None


def _and_minimum(condition: str, name: str, field: ContractField) -> str:
    return condition if field.minimum is None else f"{condition} and {name} >= {field.minimum}"


def _has_year_of_four_digits(name: str) -> str:
    return f"isfinite({name}) and year({name}) between 1 and 9999"


def _has_year(name: str, field: ContractField) -> str:
    return f"isfinite({name}) and year({name}) between {field.first_year} and {field.last_year}"


def _in_utc(name: str, kind: str) -> str:
    zoned = f"({name} at time zone 'UTC')" if kind == "TIMESTAMP WITH TIME ZONE" else name
    return f"cast({zoned} as timestamp)"


def _derive_period(mapping: Mapping, delivered: Delivered, periods: Periods) -> _NativeField | None:
    """The period of a date or time that the file holds as one."""
    source = mapping.period_from
    assert source is not None
    names = mapping.column_names(source) if isinstance(source, str) else (source.column,)
    column = _find_column(names, delivered.header)
    if column is None:
        return None
    at = delivered.header.columns.index(column)
    kind = delivered.native_types[at]
    if kind != "DATE" and (kind not in TIMES or mapping.time_zone not in (None, UTC)):
        return None
    name = quote_name(delivered.native_names[at])
    moment = name if kind == "DATE" else _in_utc(name, kind)
    month = f"case when {_has_year_of_four_digits(name)} then {periods.of_day(moment)} end"
    return _NativeField(month)


def _find_column(names: tuple[str, ...], header: Header) -> str | None:
    return next((name for name in names if name in header.columns), None)


def _leave_out_needless_tokens(
    connection: duckdb.DuckDBPyConnection,
    fields: dict[ContractField, _NativeField],
    delivered: Delivered,
) -> dict[ContractField, _NativeField]:
    """A column in which no text stands for 'no value' is read bare, which is faster each time."""
    names = [field for field, native in fields.items() if native.tokens]
    if not names:
        return fields
    checks = ", ".join(
        f"(select bool_or({fields[field].value} in ({_list_texts(fields[field].tokens)})) "
        f"from (select distinct {fields[field].value} from {delivered.native_source}))"
        for field in names
    )
    row = connection.execute(f"select {checks}").fetchone()
    assert row is not None
    needless = {field for field, found in zip(names, row, strict=True) if not found}
    return {
        field: replace(native, tokens=()) if field in needless else native
        for field, native in fields.items()
    }


def _select(
    fields: dict[ContractField, _NativeField], source: str, *, with_plumbing: bool = True
) -> str:
    values = [f'{_without_tokens(native)} as "{f.name}"' for f, native in fields.items()]
    values.append("file_row_number + 1 as _row_number")
    if with_plumbing:
        values += [f"{_formed(fields)} as {IS_FORMED}", f"0 as {NEGATIVE_ZEROS}"]
    return f"select {', '.join(values)} from {source}"


def _without_tokens(native: _NativeField) -> str:
    if not native.tokens:
        return native.value
    return (
        f"case when {native.value} in ({_list_texts(native.tokens)}) then null "
        f"else {native.value} end"
    )


def _list_texts(texts: tuple[str, ...]) -> str:
    return ", ".join(map(literal, texts))


def _formed(fields: dict[ContractField, _NativeField]) -> str:
    """SQL: whether all that is not text keeps the contract."""
    conditions = []
    for field, native in fields.items():
        if is_checked_by_value(field) and native.condition == "true":
            continue
        condition = native.condition
        if field.minor_unit_of:
            currency = next(n for f, n in fields.items() if f.name == field.minor_unit_of)
            condition = condition.replace(CURRENCY_TOKEN, _without_tokens(currency))
        # A comparison with nothing says nothing: what is missing is judged by itself.
        missing = "false" if field.is_required else "true"
        name = native.delivered or native.value
        judged = f"case when {name} is null then {missing} else {condition} end"
        conditions.append(missing if native.is_null else judged)
    return " and ".join(conditions) or "true"
