"""The money of records that a condition of the mapping leaves out, as a control total counts it.

Read by the same steps as the records that count: the same signs, scale and currency.

Known limit: of a wide delivery that becomes one record per value it is not known.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.landing.delivery import Delivery
from pipelines.landing.field_checks import amount_expression
from pipelines.landing.record_counts import Amounts
from pipelines.readers.delivered import Delivered
from pipelines.readers.field_texts import select_texts
from pipelines.readers.table_shapes import LEFT_OUT

if TYPE_CHECKING:
    import duckdb


def sum_left_out(
    connection: duckdb.DuckDBPyConnection, delivery: Delivery, delivered: Delivered, sha256: str
) -> dict[str, Amounts]:
    """Currency ('?' where a record names none) -> what was left out; none where nothing was."""
    contract, mapping, header = delivery.contract, delivery.mapping, delivered.header
    if not header.left_out or contract.amount_field is None or mapping.unpivot is not None:
        return {}
    field = contract.field(contract.amount_field)
    currency = f'"{contract.currency_field}"' if contract.currency_field else "null"
    amount = amount_expression(field)
    texts = select_texts(contract, mapping, header, LEFT_OUT, sha256)
    rows = connection.execute(
        f"""
        select
            coalesce({currency}, '?'),
            coalesce(sum(cast({amount} as decimal(38, 12))), 0),
            count(*) filter (({amount}) is null and "{field.name}" is not null)
        from ({texts}) group by all order by all
        """
    ).fetchall()
    return {code: Amounts(total, Decimal(0), unreadable) for code, total, unreadable in rows}
