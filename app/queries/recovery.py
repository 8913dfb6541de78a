"""What services that have a price charge beside their cost."""

from __future__ import annotations

import pandas as pd

from app.queries.published import Published, latest, read_frame
from app.selection import Selection

HAS_PRICE = "charging_policy not in ('at_cost', 'showback')"


def read_recovery(published: Published, selection: Selection) -> pd.DataFrame:
    """One row per service that had a price in the fiscal year up to the period, furthest from its
    cost first."""
    return read_frame(
        published,
        f"""
        with priced as (
            select service_id
            from {latest("fct_recovery_monthly")}
            where scenario_id = $scenario and period_id <= $period and fiscal_year = $year
            group by service_id
            having bool_or({HAS_PRICE}) or bool_or(recovery_amount <> 0)
        )
        select
            recovery.service_id, recovery.service_name, charging_policy, recovery.quantity,
            recovery.unit_code, charged_rate, costs.unit_cost, recovery.charged_amount, cost_amount,
            recovery_amount, charged_to_date_amount, cost_to_date_amount, recovery_to_date_amount,
        from {latest("fct_recovery_monthly")} as recovery
        semi join priced on recovery.service_id = priced.service_id
        left join {latest("fct_service_costs_monthly")} as costs
            on recovery.scenario_id = costs.scenario_id
            and recovery.period_id = costs.period_id
            and recovery.service_id = costs.service_id
        where recovery.scenario_id = $scenario and recovery.period_id = $period
        order by abs(recovery_to_date_amount) desc, recovery.service_id
        """,
        selection.parameters,
    )


def read_recovery_trend(published: Published, selection: Selection) -> pd.DataFrame:
    """One row per period of the fiscal year up to the selected one: recovery of all services, of
    the month and to date."""
    return read_frame(
        published,
        f"""
        select
            recovery.period_id,
            any_value(periods.period_name) as period_name,
            sum(recovery.recovery_amount) as recovery_amount,
            sum(recovery.recovery_to_date_amount) as recovery_to_date_amount,
        from {latest("fct_recovery_monthly")} as recovery
        inner join dim_periods as periods on recovery.period_id = periods.period_id
        where recovery.scenario_id = $scenario and recovery.period_id <= $period
            and recovery.fiscal_year = $year
        group by recovery.period_id
        order by recovery.period_id
        """,
        selection.parameters,
    )
