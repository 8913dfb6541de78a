"""What services cost: total, per service, over time, by pool and tower, and the year's outlook."""

from __future__ import annotations

import pandas as pd

from app.queries.published import IN_SCOPE, IS_SERVICE, Published, latest, read_frame
from app.selection import Selection

COSTS = latest("fct_service_costs_monthly")

AMOUNT_OF_BASIS = {"delivered": "delivered_amount", "direct": "direct_amount"}
"""Delivered: what leaves IT through the service. Direct: what arrived at it. Both sum to the
ledger; they are never mixed on a page."""


def read_headline(published: Published, selection: Selection) -> pd.DataFrame:
    """One row: IT cost of the period, the one before, year to date, and the budget of each."""
    return read_frame(
        published,
        f"""
        with costs as (
            select costs.scenario_id, costs.period_id, fiscal_year, service_id, delivered_amount
            from {COSTS} as costs
            inner join dim_periods using (period_id)
            where {IN_SCOPE}
        )
        select
            sum(delivered_amount) filter (
                scenario_id = $scenario and period_id = $period
            ) as amount,
            sum(delivered_amount) filter (
                scenario_id = $scenario and period_id = $previous
            ) as previous_amount,
            sum(delivered_amount) filter (
                scenario_id = 'budget' and period_id = $period
            ) as budget_amount,
            sum(delivered_amount) filter (
                scenario_id = $scenario and fiscal_year = $year and period_id <= $period
            ) as year_amount,
            sum(delivered_amount) filter (
                scenario_id = 'budget' and fiscal_year = $year and period_id <= $period
            ) as year_budget_amount,
            amount - budget_amount as variance_amount,
            year_amount - year_budget_amount as year_variance_amount,
            count(distinct service_id) filter (
                scenario_id = $scenario and period_id = $period and {IS_SERVICE}
            ) as service_count,
        from costs
        """,
        selection.parameters,
    )


def read_outlook(
    published: Published, fiscal_year: int, service_id: str | None = None
) -> pd.DataFrame:
    """One row: where the year lands, of all IT or of one service; no row without a budget."""
    return read_frame(
        published,
        f"""
        select
            sum(actual_to_date_amount) as actual_to_date_amount,
            sum(budget_rest_amount) as budget_rest_amount,
            sum(outlook_amount) as outlook_amount,
            sum(budget_year_amount) as budget_year_amount,
            sum(outlook_amount) - sum(budget_year_amount) as variance_amount,
            max(last_actual_period_id) as last_actual_period_id,
        from rpt_year_outlook
        where {IN_SCOPE}
            and fiscal_year = $year
            and ($service is null or service_id = $service)
        having coalesce(sum(abs(budget_year_amount)), 0) <> 0
        """,
        {"year": fiscal_year, "service": service_id},
    )


def read_trend(
    published: Published,
    selection: Selection,
    service_id: str | None = None,
    basis: str = "delivered",
) -> pd.DataFrame:
    """One row per period: actual and budget of 24 months up to the selected one, and the budget
    of the rest of its year. Of all IT, or of one service."""
    return read_frame(
        published,
        f"""
        with costs as (
            select *, {AMOUNT_OF_BASIS[basis]} as shown_amount
            from {COSTS}
            where {IN_SCOPE} and ($service is null or service_id = $service)
        ),
        shown as (
            select period_id, period_name
            from dim_periods
            where period_id > $first and (period_id <= $period or fiscal_year = $year)
                and period_id >= (select min(period_id) from costs)
                and period_id <= (select max(period_id) from costs)
        )
        select
            shown.period_id,
            shown.period_name,
            sum(costs.shown_amount) filter (
                costs.scenario_id = 'actual' and shown.period_id <= $period
            ) as actual_amount,
            sum(costs.shown_amount) filter (costs.scenario_id = 'budget') as budget_amount,
        from shown
        left join costs on costs.period_id = shown.period_id
        group by shown.period_id, shown.period_name
        order by shown.period_id
        """,
        {
            "period": selection.period_id,
            "first": _years_before(selection.period_id, 2),
            "year": selection.fiscal_year,
            "service": service_id,
        },
    )


def read_services(published: Published, selection: Selection, basis: str) -> pd.DataFrame:
    """One row per service, pseudo services last: the month, the one before, budget, year, trend.

    `trend` lists the last twelve months as floats, for a sparkline only.
    """
    amount = AMOUNT_OF_BASIS[basis]
    return read_frame(
        published,
        f"""
        with costs as (
            select costs.*, fiscal_year, {amount} as shown_amount
            from {COSTS} as costs
            inner join dim_periods using (period_id)
        ),
        months as (
            select period_id
            from dim_periods
            where period_id > $year_ago and period_id <= $period
                and period_id >= (select min(period_id) from costs)
        ),
        trends as (
            select
                service_id,
                list(coalesce(shown_amount, 0)::double order by month_id) as trend,
            from (
                select ids.service_id, months.period_id as month_id, costs.shown_amount
                from (select distinct service_id from costs) as ids
                cross join months
                left join costs
                    on costs.service_id = ids.service_id
                    and costs.period_id = months.period_id
                    and costs.scenario_id = $scenario
            )
            group by service_id
        ),
        sums as (
            select
                service_id,
                max(service_name) as service_name,
                sum(shown_amount) filter (
                    scenario_id = $scenario and period_id = $period
                ) as amount,
                sum(shown_amount) filter (
                    scenario_id = $scenario and period_id = $previous
                ) as previous_amount,
                sum(shown_amount) filter (
                    scenario_id = 'budget' and period_id = $period
                ) as budget_amount,
                sum(shown_amount) filter (
                    scenario_id = $scenario and fiscal_year = $year and period_id <= $period
                ) as year_amount,
            from costs
            group by service_id
        )
        select
            sums.service_id,
            sums.service_name,
            dim_services.category_name,
            dim_services.owner_name,
            coalesce(sums.amount, 0) as amount,
            sums.previous_amount,
            case when sums.previous_amount is not null
                or (sums.amount is not null and bases.has_previous)
                then coalesce(sums.amount, 0) - coalesce(sums.previous_amount, 0)
            end as change_amount,
            sums.budget_amount,
            coalesce(sums.amount, 0) - sums.budget_amount as variance_amount,
            sums.year_amount,
            trends.trend,
            sums.service_id like '(%' as is_pseudo,
        from sums
        cross join (
            select count(*) > 0 as has_previous
            from costs where scenario_id = $scenario and period_id = $previous
        ) as bases
        left join dim_services on dim_services.service_id = sums.service_id
        left join trends on trends.service_id = sums.service_id
        where sums.amount is not null
            or sums.previous_amount is not null
            or sums.budget_amount is not null
        order by is_pseudo, amount desc, sums.service_id
        """,
        {**selection.parameters, "year_ago": _years_before(selection.period_id, 1)},
    )


def find_largest_service(published: Published, selection: Selection) -> str | None:
    """Id of the service that delivers most in the period; None without any cost."""
    frame = read_services(published, selection, "delivered")
    services = frame[~frame["is_pseudo"]]
    return None if services.empty else str(services.iloc[0]["service_id"])


def read_service(published: Published, selection: Selection, service_id: str) -> pd.DataFrame:
    """One row: a service's figures of the period beside the one before and the budget."""
    return read_frame(
        published,
        f"""
        with costs as (select * from {COSTS} where service_id = $service),
        sums as (
            select
                max(delivered_amount) filter (
                    scenario_id = $scenario and period_id = $period
                ) as amount,
                max(delivered_amount) filter (
                    scenario_id = $scenario and period_id = $previous
                ) as previous_amount,
                max(delivered_amount) filter (
                    scenario_id = 'budget' and period_id = $period
                ) as budget_amount,
                max(direct_amount) filter (
                    scenario_id = $scenario and period_id = $period
                ) as direct_amount,
                max(full_amount) filter (
                    scenario_id = $scenario and period_id = $period
                ) as full_amount,
                max(full_amount) filter (
                    scenario_id = $scenario and period_id = $previous
                ) as previous_full_amount,
                max(full_amount - delivered_amount) filter (
                    scenario_id = $scenario and period_id = $period
                ) as passed_on_amount,
                max(charged_amount) filter (
                    scenario_id = $scenario and period_id = $period
                ) as charged_amount,
                max(quantity) filter (
                    scenario_id = $scenario and period_id = $period
                ) as quantity,
                max(quantity) filter (
                    scenario_id = $scenario and period_id = $previous
                ) as previous_quantity,
                max(unit_cost) filter (
                    scenario_id = $scenario and period_id = $period
                ) as unit_cost,
                max(unit_cost) filter (
                    scenario_id = $scenario and period_id = $previous
                ) as previous_unit_cost,
                max(unit_cost) filter (
                    scenario_id = 'budget' and period_id = $period
                ) as budget_unit_cost,
            from costs
        )
        select *, amount - budget_amount as variance_amount from sums
        """,
        {**selection.parameters, "service": service_id},
    )


def read_breakdown(published: Published, selection: Selection, service_id: str) -> pd.DataFrame:
    """One row per tower and cost pool of a service, as delivered and as direct."""
    return read_frame(
        published,
        f"""
        select
            tower_id,
            max(tower_name) as tower_name,
            cost_pool_id,
            max(cost_pool_name) as cost_pool_name,
            sum(delivered_amount) as delivered_amount,
            sum(direct_amount) as direct_amount,
        from {latest("fct_service_cost_breakdown_monthly")}
        where scenario_id = $scenario and period_id = $period and service_id = $service
        group by tower_id, cost_pool_id
        having sum(delivered_amount) <> 0 or sum(direct_amount) <> 0
        order by sum(sum(delivered_amount)) over (partition by tower_id) desc, tower_id,
            delivered_amount desc, cost_pool_id
        """,
        {**selection.parameters, "service": service_id},
    )


def read_cost_pool_ids(published: Published) -> list[str]:
    """Ids of all cost pools, so that a pool has the same colour on every page."""
    frame = read_frame(
        published,
        """
        select distinct cost_pool_id from fct_service_cost_breakdown_monthly
        where cost_pool_id is not null order by cost_pool_id
        """,
    )
    return [str(pool_id) for pool_id in frame["cost_pool_id"]]


def _years_before(period_id: str, years: int) -> str:
    """The id of the same period so many years before; ids compare as text."""
    return f"{int(period_id[:4]) - years:04d}{period_id[4:]}"


def read_changed_parts(published: Published, selection: Selection) -> pd.DataFrame:
    """One row per service, tower and cost pool: its delivered cost in the month and in the one
    before; what is missing in one of them is zero."""
    return read_frame(
        published,
        f"""
        select
            service_id,
            coalesce(tower_id, '') as tower_id,
            coalesce(cost_pool_id, '') as cost_pool_id,
            coalesce(
                sum(delivered_amount) filter (period_id = $previous), 0
            ) as previous_amount,
            coalesce(sum(delivered_amount) filter (period_id = $period), 0) as amount,
        from {latest("fct_service_cost_breakdown_monthly")}
        where scenario_id = $scenario and period_id in ($period, $previous) and {IN_SCOPE}
        group by all
        order by all
        """,
        selection.parameters,
    )
