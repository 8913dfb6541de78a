"""Tell from the records of a delivery that two of its columns were swapped.

Of two swapped columns no record is good. So it takes a column that is filled in most of the
records and never has its own form, and another one that always has that form and would do in
its place. Texts that stand for no value, and numbers and dates in a form that the mapping does not
declare, are no sign of it: those records wait in quarantine, each with its reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.contracts.contract import ContractField, FieldType
from pipelines.errors import DeliveryRefusedError, Problem
from pipelines.landing.delivery import Delivery
from pipelines.landing.field_checks import PATTERNS, match_expression
from pipelines.landing.record_counts import RecordCounts
from pipelines.landing.typed_records import TypedRecords
from pipelines.mappings.calendar_names import list_months
from pipelines.readers.text_marks import delivered_text, literal

if TYPE_CHECKING:
    import duckdb

LEAST_FILLED = 2
"""One value alone says nothing about its column."""
NO_VALUES = r"(?i)[^\p{L}\p{N}]*(n ?/ ?a|na|nan|null|nil|none|n\.a\.|tbd|unknown|-)?[^\p{L}\p{N}]*"
"""What people and systems write where there is no value."""
NUMBER = (
    r"(?i)[^\p{L}\p{N}]*([a-z]{1,3}[$.]?|kr\.?)?[^\p{L}\p{N}]*\p{N}[\p{N}., '_\x{00A0}\x{2019}"
    r"\x{202F}]*(e[+-]?\d+)?[^\p{L}\p{N}]*([a-z]{1,3}\.?)?[^\p{L}\p{N}]*"
)
"""A number, whatever its marks, with a sign or code of a currency or of debit and credit."""
DAY = r"[\p{L}.,]{0,12} ?\p{N}{1,4}(st|nd|rd|th|er)?[-/. ,]{1,2}.*\p{N}.*|\p{N}{5,17}"
MONTHS = "|".join(sorted(list_months(("en", "de", "fr", "es")), key=len, reverse=True))
MOMENT = rf"(?i){DAY}|({MONTHS})\.?[-/. ,']{{0,2}}\p{{N}}{{2,4}}"
OWN_FORMS: dict[FieldType, str] = {
    "decimal": NUMBER,
    "integer": NUMBER,
    "date": MOMENT,
    "timestamp": MOMENT,
    "period": MOMENT,
}
"""Type -> what values of it look like in forms that no mapping has declared."""
LETTERS_FIRST = r"(?i)[a-z]+[0-9].*"
"""An identifier such as CC100 is no number with a currency before it."""


def refuse_swapped_columns(
    connection: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    records: TypedRecords,
    counts: RecordCounts,
) -> None:
    """Raise DeliveryRefusedError where two columns seem to be swapped. Assumes that `quarantined`
    holds the records that are not good."""
    # What the mapping gives was not delivered, and cannot have been swapped.
    given = {*delivery.mapping.constants, *delivery.mapping.file_values}
    fields = [f for f in delivery.contract.fields if f.type != "json" and f.name not in given]
    columns = ", ".join(
        f'count("{f.name}"), count(*) filter ({match_expression(f)}), '
        f"count(*) filter ({_says_its_own(f)})"
        for f in fields
    )
    row = connection.execute(f"select {columns} from quarantined").fetchone()
    assert row is not None
    filled, formed, own = row[::3], row[1::3], row[2::3]
    for number, field in enumerate(fields):
        is_mostly_filled = filled[number] >= LEAST_FILLED and 2 * filled[number] > counts.delivered
        if formed[number] or own[number] or not is_mostly_filled:
            continue
        others = [o for o, count in zip(fields, filled, strict=True) if count and o is not field]
        other = next((o for o in others if _would_fit(connection, field, o)), None)
        if other is not None and not _is_filled_somewhere(connection, records, field):
            raise _refuse(delivery, field, other)


def _is_filled_somewhere(
    connection: duckdb.DuckDBPyConnection, records: TypedRecords, field: ContractField
) -> bool:
    """Whether a good record has a value there."""
    row = connection.execute(
        f'select count("{field.name}") from {records.relation} where {records.good}'
    ).fetchone()
    return row is not None and row[0] > 0


def _says_its_own(field: ContractField) -> str:
    """SQL: whether a text says a value of the field's type, or none, in whatever form."""
    text = delivered_text(f'"{field.name}"')
    says = f"regexp_full_match({text}, {literal(NO_VALUES)})"
    if (form := OWN_FORMS.get(field.type)) is not None:
        is_own = f"regexp_full_match({text}, {literal(form)})"
        if form == NUMBER:
            is_own += f" and not regexp_full_match({text}, {literal(LETTERS_FIRST)})"
        says += f" or ({is_own})"
    return says


def _would_fit(
    connection: duckdb.DuckDBPyConnection, field: ContractField, other: ContractField
) -> bool:
    """Whether all texts of each of two fields have the form of the other."""

    def fits(text: str, form: ContractField) -> str:
        return f'bool_and(regexp_full_match("{text}", {literal(PATTERNS[form.type][0])}))'

    row = connection.execute(
        f"select {fits(other.name, field)} and {fits(field.name, other)} from quarantined"
    ).fetchone()
    return row is not None and bool(row[0])


def _refuse(delivery: Delivery, field: ContractField, other: ContractField) -> DeliveryRefusedError:
    return DeliveryRefusedError(
        Problem(
            delivery.name,
            f"seems to have the columns {field.name} and {other.name} swapped",
            field=field.name,
            expected=f"{PATTERNS[field.type][1]}, which every {other.name} is",
            found="no record with that form",
            remedy="Nothing was loaded. Correct the header or the columns.",
        )
    )
