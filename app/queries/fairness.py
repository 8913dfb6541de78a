"""Bills beside what their consumers add, would pay alone, and their Shapley values."""

from __future__ import annotations

import pandas as pd

from app.queries.published import Published, latest, read_frame
from app.selection import Selection


def read_bills(published: Published, selection: Selection, service_id: str) -> pd.DataFrame:
    """One row per consumer of a service, the largest bill first."""
    return read_frame(
        published,
        f"""
        select
            *,
            stand_alone_amount - bill_amount as saving_amount,
            shapley_amount - bill_amount as shapley_difference_amount
        from {latest("rpt_fairness")}
        where scenario_id = $scenario and period_id = $period and service_id = $service
        order by bill_amount desc, consumer_kind, consumer_id
        """,
        {**selection.parameters, "service": service_id},
    )


def read_services(published: Published, selection: Selection) -> pd.DataFrame:
    """One row per service with several consumers: its bills, and those out of bounds."""
    return read_frame(
        published,
        f"""
        select
            service_id,
            min(service_name) as service_name,
            min(status_code) as status_code,
            count(*) as bill_count,
            count(*) filter (verdict_code = 'above') as above_count,
            count(*) filter (verdict_code = 'below') as below_count,
            max(service_cost_amount) as service_cost_amount,
            max(service_fixed_amount) as service_fixed_amount,
            max(service_variable_amount) as service_variable_amount,
            max(service_undeclared_amount) as service_undeclared_amount
        from {latest("rpt_fairness")}
        where scenario_id = $scenario and period_id = $period
        group by service_id
        order by above_count + below_count desc, service_cost_amount desc, service_id
        """,
        selection.parameters,
    )


def read_undeclared_pools(published: Published, selection: Selection) -> pd.DataFrame:
    """One row per pool and sub-pool whose rule does not say how its cost behaves."""
    return read_frame(
        published,
        f"""
        select
            cost_pool_id,
            min(cost_pool_name) as cost_pool_name,
            sub_pool_name,
            sum(amount) as amount
        from {latest("fct_cost_pools_monthly")}
        where
            scenario_id = $scenario
            and period_id = $period
            and cost_behaviour = 'undeclared'
            and disposition = 'allocated'
        group by cost_pool_id, sub_pool_name
        order by amount desc, cost_pool_id, sub_pool_name nulls first
        """,
        selection.parameters,
    )
