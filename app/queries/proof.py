"""The proof that nothing was lost: ledger tie, certificate, stops, and what is still open."""

from __future__ import annotations

import pandas as pd

from app.queries.published import IN_SCOPE, Published, latest, read_frame
from app.queries.service_costs import COSTS
from app.selection import Selection


def read_ledger_tie(published: Published, selection: Selection) -> pd.DataFrame:
    """One row: the ledger lines of the period summed, what the service costs add up to, and the
    way from one to the other by what became of the money.

    `difference_amount` is service costs minus ledger, `charges_difference_amount` the sum of the
    named parts minus service costs; both are zero, or the page does not tie.
    """
    return read_frame(
        published,
        f"""
        with ledger as (
            select sum(amount)::decimal(38, 2) as ledger_amount
            from {latest("fct_ledger_lines")}
            where scenario_id = $scenario and period_id = $period
        ),
        shown as (
            select
                sum(delivered_amount)::decimal(38, 2) as shown_amount,
                sum(delivered_amount) filter ({IN_SCOPE})::decimal(38, 2) as it_cost_amount,
            from {COSTS}
            where scenario_id = $scenario and period_id = $period
        ),
        charges as (
            select * from {latest("fct_charges_monthly")}
            where scenario_id = $scenario and period_id = $period
        ),
        parts as (
            select
                sum(cost_amount) as parts_amount,
                sum(cost_amount) filter (
                    disposition = 'allocated' and charging_policy <> 'showback'
                ) as charged_amount,
                sum(cost_amount) filter (
                    disposition = 'allocated' and charging_policy = 'showback'
                ) as showback_amount,
                sum(cost_amount) filter (disposition = 'idle') as idle_amount,
                sum(cost_amount) filter (disposition = 'unallocated') as unallocated_amount,
                sum(cost_amount) filter (disposition = 'unmapped') as unmapped_amount,
                sum(cost_amount) filter (disposition = 'capitalised') as capitalised_amount,
                sum(cost_amount) filter (disposition = 'out_of_scope') as out_of_scope_amount,
                sum(cost_amount) filter (disposition = 'recovery') as recovery_amount,
            from charges
        )
        select
            *,
            shown_amount - ledger_amount as difference_amount,
            parts_amount - shown_amount as charges_difference_amount,
        from shown
        cross join ledger
        cross join parts
        """,
        selection.parameters,
    )


def read_certificate(published: Published, selection: Selection) -> pd.DataFrame:
    """One row per term of the identities, in printing order.

    What was delivered for a period that cannot be read is an identity of its own, shown with every
    period that is open: none of them can be closed while it is.
    """
    return read_frame(
        published,
        f"""
        select
            if(period_id = '(unknown)', 'period_unknown', identity_id) as identity_id,
            identity_name, term_order, term_id, term_name, side,
            amount_cents as amount,
        from {latest("rpt_certificate")}
        where scenario_id = $scenario and (
            period_id = $period
            or (period_id = '(unknown)' and $period in (
                select period_id from dim_periods where period_state <> 'closed'
            ))
        )
        order by
            period_id = '(unknown)',
            case identity_id when 'ledger' then 1 when 'charged' then 2 when 'billed' then 3
                else 4 end,
            identity_id,
            term_order
        """,
        selection.parameters,
    )


def read_delivered_currencies(published: Published, selection: Selection) -> pd.DataFrame:
    """One row per currency that was delivered: what counts, what is in quarantine or discarded."""
    return read_frame(
        published,
        f"""
        select
            currency_code, delivered_record_count, quarantined_record_count,
            discarded_record_count, unreadable_record_count, delivered_amount_local,
            counted_amount_local, quarantined_amount_local, discarded_amount_local, exchange_rate,
            delivered_amount::decimal(38, 2) as delivered_amount,
        from {latest("rpt_delivered_currencies")}
        where scenario_id = $scenario and period_id = $period
        order by currency_code
        """,
        selection.parameters,
    )


def read_conservation(published: Published, selection: Selection) -> pd.DataFrame:
    """One row per stop of the money: what arrived, what left, the difference."""
    return read_frame(
        published,
        f"""
        select stop_order, stop_name, arrived_amount, left_amount, difference_amount
        from {latest("rpt_conservation")}
        where scenario_id = $scenario and period_id = $period
        order by stop_order
        """,
        selection.parameters,
    )


def read_open_items(published: Published, selection: Selection) -> pd.DataFrame:
    """One row per item that somebody has to settle, the largest amount first."""
    return read_frame(
        published,
        f"""
        select item_kind, item_key, item_name, amount, what_to_do
        from {latest("rpt_open_items")}
        where scenario_id = $scenario and (
            period_id = $period
            or (period_id = '(unknown)' and $period in (
                select period_id from dim_periods where period_state <> 'closed'
            ))
        )
        order by period_id <> '(unknown)', abs(amount) desc nulls last, item_kind, item_key
        """,
        selection.parameters,
    )


def read_measure_next(published: Published, selection: Selection) -> pd.DataFrame:
    """One row per rule, service or open item that rests on what nobody measured, by rank.

    The same money may stand in several rows, once per stop that it passed: they have no total.
    """
    return read_frame(
        published,
        f"""
        select
            measure_rank, subject_name, basis_code, amount, year_amount, what_to_do, what_changes,
            contract_id, column_names, stop_code, subject_kind, subject_id, driver_name,
        from {latest("rpt_measure_next")}
        where scenario_id = $scenario and period_id = $period
        order by measure_rank
        """,
        selection.parameters,
    )
