"""What is charged to whom: bills, their lines, and the consumers of a service."""

from __future__ import annotations

import pandas as pd

from app.queries.published import Published, latest, read_frame
from app.selection import Selection

HIERARCHIES = ("as_was", "as_is")
"""As was: business units as they were in the period. As is: as they are today."""


def read_bills(published: Published, selection: Selection, hierarchy: str) -> pd.DataFrame:
    """One row per business unit: charged, the month before, budget, and cost shown but not charged.

    The month before is that of the cost centres which are billed now.
    """
    return read_frame(
        published,
        f"""
        with lines as ({_lines(hierarchy)})
        select
            lines.business_unit_id,
            max(lines.business_unit_name) as business_unit_name,
            max(dim_business_units.division_name) as division_name,
            sum(charged_amount) as charged_amount,
            sum(previous_charged_amount) as previous_charged_amount,
            case when count(previous_charged_amount) > 0
                then sum(charged_amount) - sum(previous_charged_amount)
            end as change_amount,
            sum(budget_amount) as budget_amount,
            case when count(budget_amount) > 0 then sum(charged_amount) - sum(budget_amount)
            end as variance_amount,
            sum(cost_amount) filter (charging_policy = 'showback') as showback_amount,
            count(*) as line_count,
        from lines
        left join dim_business_units
            on dim_business_units.business_unit_id = lines.business_unit_id
        group by lines.business_unit_id
        order by charged_amount desc, lines.business_unit_id
        """,
        _period_parameters(selection),
    )


def read_bill_total(published: Published, selection: Selection) -> pd.DataFrame:
    """One row: what all bills of the period add up to."""
    return read_frame(
        published,
        f"""
        select
            sum(charged_amount) as charged_amount,
            sum(previous_charged_amount) as previous_charged_amount,
            sum(budget_amount) as budget_amount,
            sum(charged_amount) - sum(previous_charged_amount) as change_amount,
            sum(charged_amount) - sum(budget_amount) as variance_amount,
            sum(cost_amount) filter (charging_policy = 'showback') as showback_amount,
            count(distinct business_unit_id) as business_unit_count,
            count(*) as line_count,
        from {latest("rpt_bill_lines")}
        where scenario_id = $scenario and period_id = $period
        """,
        _period_parameters(selection),
    )


def read_open_amounts(published: Published, selection: Selection) -> pd.DataFrame:
    """One row per disposition of money that no consumer pays: its amount in the period."""
    return read_frame(
        published,
        f"""
        select disposition, sum(cost_amount) as amount
        from {latest("fct_charges_monthly")}
        where scenario_id = $scenario and period_id = $period
            and disposition in ('unallocated', 'unmapped', 'idle')
        group by disposition
        having sum(cost_amount) <> 0
        order by disposition
        """,
        _period_parameters(selection),
    )


def read_bill_lines(
    published: Published,
    selection: Selection,
    hierarchy: str,
    business_unit_id: str | None = None,
) -> pd.DataFrame:
    """One row per bill line of a business unit, or of all, with the month before and the budget."""
    return read_frame(
        published,
        f"""
        with lines as ({_lines(hierarchy)})
        select
            period_id, version, business_unit_id, business_unit_name, cost_centre_id,
            cost_centre_name, legal_entity_id, service_id, service_name, charging_policy,
            driver_name, driver_quality, quantity, unit_code, unit_rate, charged_amount,
            cost_amount, previous_charged_amount, budget_amount,
            charged_amount - previous_charged_amount as change_amount,
            charged_amount - budget_amount as variance_amount,
        from lines
        where $business_unit is null or business_unit_id = $business_unit
        order by business_unit_name, business_unit_id, charged_amount desc, cost_amount desc,
            cost_centre_id, service_id
        """,
        {**_period_parameters(selection), "business_unit": business_unit_id},
    )


def read_consumers(published: Published, selection: Selection, service_id: str) -> pd.DataFrame:
    """One row per consumer of a service, with its share of the service's cost."""
    return read_frame(
        published,
        f"""
        select
            business_unit_id, business_unit_name, cost_centre_id, cost_centre_name, disposition,
            driver_quality, quantity, unit_code, unit_rate, cost_amount, charged_amount,
        from {latest("fct_charges_monthly")}
        where scenario_id = $scenario and period_id = $period and service_id = $service
        order by cost_amount desc, cost_centre_id
        """,
        {**_period_parameters(selection), "service": service_id},
    )


def read_consuming_units(
    published: Published, selection: Selection, service_id: str
) -> pd.DataFrame:
    """One row per business unit that a service is delivered to, with the month before and budget."""
    return read_frame(
        published,
        f"""
        with charges as (
            select * from {latest("fct_charges_monthly")} where service_id = $service
        ),
        sums as (
            select
                business_unit_id,
                max(business_unit_name) as business_unit_name,
                sum(cost_amount) filter (
                    scenario_id = $scenario and period_id = $period
                ) as cost_amount,
                sum(charged_amount) filter (
                    scenario_id = $scenario and period_id = $period
                ) as charged_amount,
                sum(quantity) filter (
                    scenario_id = $scenario and period_id = $period
                ) as quantity,
                sum(cost_amount) filter (
                    scenario_id = $scenario and period_id = $previous
                ) as previous_amount,
                sum(cost_amount) filter (
                    scenario_id = 'budget' and period_id = $period
                ) as budget_amount,
            from charges
            group by business_unit_id
        )
        select
            *,
            cost_amount - previous_amount as change_amount,
            cost_amount - budget_amount as variance_amount,
            sum(cost_amount) over () as total_amount,
        from sums
        where cost_amount is not null
        order by cost_amount desc, business_unit_id
        """,
        {
            **_period_parameters(selection),
            "previous": selection.previous_period_id,
            "service": service_id,
        },
    )


def read_driver_quality(
    published: Published, selection: Selection, service_id: str
) -> pd.DataFrame:
    """One row per quality of the driver behind a service's charges: lines and money."""
    return read_frame(
        published,
        f"""
        select
            driver_quality,
            max(driver_name) as driver_name,
            count(*) as line_count,
            sum(cost_amount) as cost_amount,
        from {latest("fct_charges_monthly")}
        where scenario_id = $scenario and period_id = $period and service_id = $service
            and driver_quality is not null
        group by driver_quality
        order by cost_amount desc, driver_quality
        """,
        {**_period_parameters(selection), "service": service_id},
    )


def _lines(hierarchy: str) -> str:
    """SQL for the bill lines of the period under one of the two hierarchies."""
    bill_lines = (
        f"select * from {latest('rpt_bill_lines')} "
        "where scenario_id = $scenario and period_id = $period"
    )
    if hierarchy != "as_is":
        return bill_lines
    return f"""
        select
            bill.* replace (
                coalesce(charges.business_unit_as_is_id, bill.business_unit_id)
                    as business_unit_id,
                coalesce(charges.business_unit_as_is_name, bill.business_unit_name)
                    as business_unit_name
            ),
        from ({bill_lines}) as bill
        left join fct_charges_monthly as charges
            on charges.scenario_id = bill.scenario_id
            and charges.period_id = bill.period_id
            and charges.version = bill.version
            and charges.service_id = bill.service_id
            and charges.cost_centre_id = bill.cost_centre_id
    """


def _period_parameters(selection: Selection) -> dict[str, object]:
    return {"scenario": selection.scenario_id, "period": selection.period_id}
