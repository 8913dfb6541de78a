"""The proof that nothing was lost: ledger tie, certificate, stops, and what is still open."""

from __future__ import annotations

import pandas as pd

from app.queries.published import Published, latest, read_frame
from app.queries.service_costs import COSTS
from app.selection import Selection


def read_ledger_tie(published: Published, selection: Selection) -> pd.DataFrame:
    """One row: the ledger lines of the period summed, and what the service costs add up to."""
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
                coalesce(sum(delivered_amount) filter (service_id not like '(%'), 0)
                    as service_amount,
                coalesce(sum(delivered_amount) filter (service_id = '(unallocated)'), 0)
                    as unallocated_amount,
                coalesce(sum(delivered_amount) filter (service_id = '(unmapped)'), 0)
                    as unmapped_amount,
                coalesce(sum(delivered_amount) filter (service_id = '(capitalised)'), 0)
                    as capitalised_amount,
                coalesce(sum(delivered_amount) filter (service_id = '(out_of_scope)'), 0)
                    as out_of_scope_amount,
            from {COSTS}
            where scenario_id = $scenario and period_id = $period
        )
        select *, shown_amount - ledger_amount as difference_amount from shown cross join ledger
        """,
        _period_parameters(selection),
    )


def read_certificate(published: Published, selection: Selection) -> pd.DataFrame:
    """One row per term of the identities, in printing order."""
    return read_frame(
        published,
        f"""
        select
            identity_id, identity_name, term_order, term_id, term_name, side,
            amount_cents as amount,
        from {latest("rpt_certificate")}
        where scenario_id = $scenario and period_id = $period
        order by
            case identity_id when 'ledger' then 1 when 'charged' then 2 when 'billed' then 3
                else 4 end,
            identity_id,
            term_order
        """,
        _period_parameters(selection),
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
        _period_parameters(selection),
    )


def read_open_items(published: Published, selection: Selection) -> pd.DataFrame:
    """One row per item that somebody has to settle, the largest amount first."""
    return read_frame(
        published,
        f"""
        select item_kind, item_key, item_name, amount, what_to_do
        from {latest("rpt_open_items")}
        where scenario_id = $scenario and period_id = $period
        order by abs(amount) desc nulls last, item_kind, item_key
        """,
        _period_parameters(selection),
    )


def _period_parameters(selection: Selection) -> dict[str, object]:
    return {"scenario": selection.scenario_id, "period": selection.period_id}
