"""Refuse a build in which one record would make an amount beyond the limit of an amount.

Landing knows the limit of what a file states. What a rate or a price makes of it shows here only:
10^14 of one currency are 10^16 of another. Up to the limit the engine is exact; beyond it an amount
is a unit or a separator read wrongly, and is refused with its record before anything is computed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.errors import ControlError
from pipelines.money import AMOUNT_LIMIT
from pipelines.warehouse.pinned_records import write_bill_period
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    import duckdb

NAMED = 8

AMOUNTS = """
    select _source_id, _file_id, _row_number, period_id, currency_code, amount_local
    from lake.general_ledger
    union all
    select _source_id, _file_id, _row_number, period_id, currency_code, amount_local
    from lake.budget
    union all
    select _source_id, _file_id, _row_number, {bill_period},
        billing_currency, {bill_amount}
    from lake.cloud_bill
"""
# The larger of what a bill may be counted by.
BILL_AMOUNT = (
    "case when abs(coalesce(effective_cost, 0)) > abs(billed_cost) then effective_cost "
    "else billed_cost end"
)

USED = """
    select _source_id, _file_id, _row_number, period_id, service_id, quantity
    from lake.service_usage
    union all
    select _source_id, _file_id, _row_number, period_id, service_id, seats_quantity
    from lake.licences
"""


def refuse_converted_amounts(connection: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    """A record whose amount reaches the limit in the reporting currency.

    Doubles decide: at the limit their error is an eighth of a unit, and nothing lies that near.
    """
    config = workspace.config
    bill_period = write_bill_period(config.clock)
    amounts = AMOUNTS.format(bill_amount=BILL_AMOUNT, bill_period=bill_period)
    rows = connection.execute(
        f"""
        select coalesce(loads.file_name, amounts._file_id), amounts._row_number,
            amounts.amount_local, amounts.currency_code, amounts.period_id, rates.exchange_rate
        from ({amounts}) as amounts
        inner join lake.exchange_rates as rates
            on rates.rate_type = $type and rates.to_currency_code = $currency
            and amounts.period_id = rates.period_id
            and amounts.currency_code = rates.from_currency_code
        left join model.loads as loads
            on amounts._source_id = loads.source_id and amounts._file_id = loads.file_id
        where amounts.currency_code <> $currency
            and abs(cast(amounts.amount_local as double)) * cast(rates.exchange_rate as double)
                >= {AMOUNT_LIMIT}
        order by 1, 2
        """,
        {"type": config.rate_type, "currency": config.currency},
    ).fetchall()
    if rows:
        found = "; ".join(
            f"{file} record {row}: {amount.normalize():f} {code} at {rate.normalize():f} in "
            f"{period}"
            for file, row, amount, code, period, rate in rows[:NAMED]
        )
        raise ControlError(
            f"{len(rows)} amounts reach {AMOUNT_LIMIT:,} {config.currency} at their exchange rate: "
            f"{found}. An amount is smaller than that. Correct the amount or the rate, and deliver "
            "again; nothing was computed."
        )


def refuse_priced_quantities(connection: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    """A record of use whose price reaches the limit."""
    rows = connection.execute(
        f"""
        with prices as (
            select service_id, max(greatest(unit_price_rate, coalesce(peak_price_rate, 0))) as price
            from model.rate_card
            group by service_id
        )
        select coalesce(loads.file_name, used._file_id), used._row_number, used.quantity,
            used.service_id, used.period_id, prices.price
        from ({USED}) as used
        inner join prices on used.service_id = prices.service_id
        left join model.loads as loads
            on used._source_id = loads.source_id and used._file_id = loads.file_id
        where abs(cast(used.quantity as double)) * cast(prices.price as double) >= {AMOUNT_LIMIT}
        order by 1, 2
        """
    ).fetchall()
    if rows:
        currency = workspace.config.currency
        found = "; ".join(
            f"{file} record {row}: {quantity.normalize():f} of {service} at {price.normalize():f} "
            f"{currency} in {period}"
            for file, row, quantity, service, period, price in rows[:NAMED]
        )
        raise ControlError(
            f"{len(rows)} charges reach {AMOUNT_LIMIT:,} {currency} by the rate card: {found}. "
            "An amount is smaller than that. Correct the quantity, or the price in rate_card.yml; "
            "nothing was computed."
        )
