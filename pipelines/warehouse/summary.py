"""The figures that a run prints: cost by pool, service and business unit, and the proof."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.warehouse.complete_periods import read_incomplete
from pipelines.warehouse.measure_next import MeasureItem, read_measure_next

if TYPE_CHECKING:
    import duckdb

# Dispositions that are no cost of IT: they are in the ledger and in the proof, not in a total.
NOT_COST = "('recovery', 'out_of_scope', 'capitalised')"
LEFT_OUT = "('quarantined', 'discarded')"
PERIOD_UNKNOWN = "(unknown)"
"""Stands for the period of records that name none of the calendar."""


@dataclass(frozen=True)
class Summary:
    """Figures of the latest actual period, and the control totals of every actual period."""

    run_id: str
    currency_code: str
    period_id: str | None
    by_pool: list[tuple[str, Decimal]]
    by_service: list[tuple[str, Decimal]]
    by_business_unit: list[tuple[str, Decimal]]
    shown_by_business_unit: list[tuple[str, Decimal]]
    """Cost of showback services: shown, not charged; empty where no service is one."""
    controls: list[tuple[str, Decimal, Decimal, Decimal, Decimal, Decimal]]
    """(period, delivered, in quarantine or discarded, not a cost of IT, cost of IT, difference);
    the period '(unknown)' comes first."""
    left_out: list[tuple[str, str]]
    """(period, words) where more was delivered than the amounts hold."""
    open_items: list[tuple[str, str, Decimal | None, str]]
    """(period, what, amount, what to do)"""
    missing: str
    """What is missing in the latest period; empty where it is complete."""
    measure_next: list[MeasureItem]
    """What the figures of the latest period rest on that is not measured, the largest first."""


def summarise(connection: duckdb.DuckDBPyConnection) -> Summary:
    """Read the summary from what is published. Empty lists where there are no actual costs."""
    run = connection.execute("select run_id, currency_code from dim_run").fetchone()
    assert run is not None
    period = connection.execute(
        "select max(period_id) from dim_periods where has_actuals"
    ).fetchone()
    period_id = period[0] if period else None

    def rows(sql: str) -> list[tuple[str, Decimal]]:
        return connection.execute(sql, {"period": period_id}).fetchall()

    return Summary(
        run_id=run[0],
        currency_code=run[1],
        period_id=period_id,
        by_pool=rows(
            f"""
            select cost_pool_name, sum(amount) as amount from fct_cost_pools_monthly
            where scenario_id = 'actual' and period_id = $period and disposition not in {NOT_COST}
            group by all order by amount desc, cost_pool_name
            """
        ),
        by_service=rows(
            """
            select service_name, delivered_amount from fct_service_costs_monthly
            where scenario_id = 'actual' and period_id = $period
                and service_id not in ('(recovery)', '(out_of_scope)', '(capitalised)')
            order by delivered_amount desc, service_name
            """
        ),
        by_business_unit=rows(
            """
            select business_unit_name, sum(amount) as amount from fct_bill_items_monthly
            where scenario_id = 'actual' and period_id = $period
            group by all order by amount desc, business_unit_name
            """
        ),
        shown_by_business_unit=rows(
            """
            select business_unit_name, sum(cost_amount) as amount from rpt_bill_lines
            where scenario_id = 'actual' and period_id = $period and charging_policy = 'showback'
            group by all order by amount desc, business_unit_name
            """
        ),
        controls=connection.execute(
            f"""
            select period_id,
                sum(amount_cents) filter (term_id = 'delivered'),
                sum(amount_cents) filter (term_id in {LEFT_OUT}),
                coalesce(sum(amount_cents) filter (term_id in {NOT_COST}), 0),
                coalesce(sum(amount_cents) filter (
                    side = 'right' and term_id not in {NOT_COST} and term_id not in {LEFT_OUT}
                ), 0),
                sum(amount_cents) filter (side = 'difference')
            from rpt_certificate where scenario_id = 'actual' and identity_id = 'ledger'
            group by all order by period_id
            """
        ).fetchall(),
        left_out=connection.execute(
            """
            select period_id, term_name from rpt_certificate
            where scenario_id = 'actual' and identity_id = 'ledger' and term_id = 'delivered'
                and term_name <> 'Delivered by the ledger'
            order by all
            """
        ).fetchall(),
        open_items=connection.execute(
            """
            select period_id, item_name, cast(amount as decimal(28, 2)), what_to_do
            from rpt_open_items where scenario_id = 'actual'
            order by period_id <> '(unknown)', period_id desc, amount desc nulls last, item_key
            """
        ).fetchall(),
        missing=read_incomplete(connection).get(period_id or "", ""),
        measure_next=read_measure_next(connection, period_id)[1],
    )
