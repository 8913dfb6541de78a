"""Write a statement as CSV: every line and every item, a row each, for programs and spreadsheets.

RFC 4180 with commas, CRLF and quotes where they are needed; UTF-8 with a byte order mark, by which
Excel knows that it is UTF-8. Amounts, quantities and rates have a point, no thousands separators
and every digit. The column `amount` sums to the total of the statement: showback has 0.00 in it,
and there is no row of totals that would be added twice.

Text from deliveries is never a formula (neutralise.py). Numbers are made of decimals, so that a
negative one stays a number.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from decimal import Decimal
from io import StringIO
from pathlib import Path

from pipelines.billing.files import write_atomically
from pipelines.billing.neutralise import neutralise
from pipelines.billing.records import CHARGE, POLICY_SHOWBACK, BillItem, Statement, StatementLine

COLUMNS = (
    "statement",
    "period_id",
    "business_unit_id",
    "business_unit_name",
    "item_kind",
    "cost_centre_id",
    "cost_centre_name",
    "legal_entity_id",
    "service_id",
    "service_name",
    "charging_policy",
    "driver_name",
    "driver_quality",
    "quantity",
    "unit_code",
    "unit_rate",
    "currency_code",
    "amount",
    "cost_amount",
    "origin_period_id",
    "origin_statement",
    "reference_id",
    "reason",
)
ENCODING = "utf-8-sig"
CENTS = 2

Value = str | Decimal | None


def write_csv(statement: Statement, path: Path) -> None:
    """Write the rows to `path`, replacing what is there in one step."""
    write_atomically(path, render_csv(statement))


def render_csv(statement: Statement) -> bytes:
    """The file's bytes, the same for the same statement."""
    buffer = StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for line in statement.lines:
        writer.writerow(_make_row(statement, _line_values(line)))
    for item in statement.items:
        writer.writerow(_make_row(statement, _item_values(item)))
    return buffer.getvalue().encode(ENCODING)


def _make_row(statement: Statement, values: dict[str, Value]) -> Sequence[str]:
    common: dict[str, Value] = {
        "statement": statement.number,
        "period_id": statement.period.period_id,
        "business_unit_id": statement.recipient.business_unit_id,
        "business_unit_name": statement.recipient.name,
        "currency_code": statement.currency_code,
    }
    row = common | values
    return [_write_value(column, row.get(column)) for column in COLUMNS]


def _write_value(column: str, value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return neutralise(value)
    return write_number(value, kept=CENTS if column.endswith("amount") else 0)


def write_number(value: Decimal, kept: int = 0) -> str:
    """Every digit; of the zeros at its end so many decimals that `kept` of them remain."""
    whole, _, decimals = format(value, "f").partition(".")
    decimals = decimals.rstrip("0").ljust(kept, "0")
    return f"{whole}.{decimals}" if decimals else whole


def _line_values(line: StatementLine) -> dict[str, Value]:
    return {
        "item_kind": POLICY_SHOWBACK if line.is_showback else CHARGE,
        "cost_centre_id": line.cost_centre_id,
        "cost_centre_name": line.cost_centre_name,
        "legal_entity_id": line.legal_entity_id,
        "service_id": line.service_id,
        "service_name": line.service_name,
        "charging_policy": line.charging_policy,
        "driver_name": line.driver_name,
        "driver_quality": line.driver_quality,
        "quantity": line.quantity,
        "unit_code": line.unit_code,
        "unit_rate": line.unit_rate,
        "amount": line.charged_amount,
        "cost_amount": line.cost_amount,
    }


def _item_values(item: BillItem) -> dict[str, Value]:
    return {
        "item_kind": item.kind,
        "cost_centre_id": item.cost_centre_id,
        "cost_centre_name": item.cost_centre_name,
        "legal_entity_id": item.legal_entity_id,
        "service_id": item.service_id,
        "service_name": item.service_name,
        "amount": item.amount,
        "origin_period_id": item.origin_period_id,
        "origin_statement": item.origin_number,
        "reference_id": item.reference_id,
        "reason": item.reason,
    }
