"""SQL over the signs and codes of currencies that stand in amounts.

A mark that names another currency than its record is no matter of form: one of the two is wrong. So
the amount is marked, and no rate converts it. Where nothing else says the currency, the mark does.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.contracts.contract import Contract, ContractField
from pipelines.mappings.mapping import Mapping
from pipelines.mappings.setting_parts import list_names
from pipelines.readers.column_texts import column_text
from pipelines.readers.csv_header import Header
from pipelines.readers.number_forms import currency_of_mark, takes_currency_marks
from pipelines.readers.text_marks import OTHER_CURRENCY, is_marked, mark_by


def first_marks(contract: Contract, mapping: Mapping, header: Header) -> Iterator[str]:
    """SQL for the delivered text of each amount, beside the one that becomes a number."""
    for field in _list_amounts(contract, mapping):
        if field.name in mapping.net_of:
            sides = mapping.net_of[field.name]
            names = (list_names(sides.debit), list_names(sides.credit))
            both = (column_text(side, mapping, header) for side in names)
            text = f"coalesce({', '.join(both)})"
        else:
            text = column_text(mapping.column_names(field.name), mapping, header)
        yield f'{text} as "{_mark_name(field)}"'


def currency_stages(contract: Contract, mapping: Mapping) -> Iterator[dict[str, str]]:
    """The currency where the marks alone say it, then the amounts, marked where it is another."""
    amounts = _list_amounts(contract, mapping)
    currency = contract.currency_field
    if not amounts or currency is None:
        return
    if gives_currency(contract, mapping):
        codes = (currency_of_mark(f'"{_mark_name(field)}"', mapping) for field in amounts)
        yield {currency: f"coalesce({', '.join(codes)})"}
    yield {field.name: _agree(field, currency, mapping) for field in amounts}


def gives_currency(contract: Contract, mapping: Mapping) -> bool:
    """Whether the marks in its amounts are all that says the currency of a record."""
    name = contract.currency_field
    return bool(mapping.currency_marks) and name is not None and not mapping.fills_field(name)


def _agree(field: ContractField, currency: str, mapping: Mapping) -> str:
    name, mark = f'"{field.name}"', f'"{_mark_name(field)}"'
    own = f'"{field.minor_unit_of or currency}"'
    code = currency_of_mark(mark, mapping)
    other = mark_by(mark, f"'an amount in ' || {own}", OTHER_CURRENCY)
    return (
        f"case when {name} is null or {is_marked(name)} or {code} is null or {own} is null "
        f"or {code} = {own} then {name} else {other} end"
    )


def _list_amounts(contract: Contract, mapping: Mapping) -> list[ContractField]:
    return [
        field
        for field in contract.fields
        if takes_currency_marks(field, mapping)
        and (field.name in mapping.columns or field.name in mapping.net_of)
    ]


def _mark_name(field: ContractField) -> str:
    return f"_mark_of_{field.name}"
