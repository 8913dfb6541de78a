"""What is charged to whom: bills, their lines, and the consumers of a service."""

from __future__ import annotations

import pandas as pd

from app.queries.published import Published, latest, read_frame
from app.selection import Selection

HIERARCHIES = ("as_was", "as_is")
"""As was: business units as they were in the period. As is: as they are today."""


def read_bills(published: Published, selection: Selection, hierarchy: str) -> pd.DataFrame:
    """One row per business unit: charged, the month before, budget, and cost shown but not charged.

    Month before and budget are the sums of that month's and scenario's own bills, so that a line
    which is no longer there counts. The change is like for like: `comparable_amount` is what the
    month before charged to the cost centres that the unit has in this one, and `moved_amount` what
    moved with those that joined or left it.
    """
    return read_frame(
        published,
        f"""
        with lines as ({_lines(hierarchy)}),
        members as ({_members()}),
        regrouped as (
            select
                coalesce(
                    case when $hierarchy = 'as_was' then members.business_unit_id end,
                    lines.business_unit_id
                ) as business_unit_id,
                sum(lines.charged_amount) as comparable_amount,
            from lines
            left join members on members.cost_centre_id = lines.cost_centre_id
            where lines.scenario_id = $scenario and lines.period_id = $previous
            group by all
        ),
        sums as (
            select
                business_unit_id,
                max(business_unit_name) as business_unit_name,
                sum(charged_amount) filter (
                    scenario_id = $scenario and period_id = $period
                ) as charged_amount,
                sum(charged_amount) filter (
                    scenario_id = $scenario and period_id = $previous
                ) as previous_charged_amount,
                sum(charged_amount) filter (
                    scenario_id = 'budget' and period_id = $period
                ) as budget_amount,
                sum(cost_amount) filter (
                    scenario_id = $scenario and period_id = $period
                    and charging_policy = 'showback'
                ) as showback_amount,
                count(*) filter (
                    scenario_id = $scenario and period_id = $period
                ) as line_count,
            from lines
            group by business_unit_id
        )
        select
            sums.business_unit_id,
            sums.business_unit_name,
            dim_business_units.division_name,
            coalesce(sums.charged_amount, 0) as charged_amount,
            sums.previous_charged_amount,
            regrouped.comparable_amount,
            regrouped.comparable_amount - coalesce(sums.previous_charged_amount, 0)
                as moved_amount,
            coalesce(sums.charged_amount, 0) - regrouped.comparable_amount as change_amount,
            sums.budget_amount,
            coalesce(sums.charged_amount, 0) - sums.budget_amount as variance_amount,
            sums.showback_amount,
            sums.line_count,
        from sums
        left join dim_business_units
            on dim_business_units.business_unit_id = sums.business_unit_id
        left join regrouped on regrouped.business_unit_id = sums.business_unit_id
        where sums.line_count > 0 or sums.previous_charged_amount <> 0 or sums.budget_amount <> 0
        order by coalesce(sums.charged_amount, 0) desc, sums.business_unit_id
        """,
        {**selection.parameters, "hierarchy": hierarchy},
    )


def read_reorganisation(published: Published, selection: Selection) -> pd.DataFrame:
    """One row per business unit that cost centres moved to or from since the selected month or the
    one before it: as reported, moved out and in, and by the current organisation."""
    return read_frame(
        published,
        f"""
        select
            period_id, business_unit_id, business_unit_name, charged_as_was_amount,
            moved_out_amount, moved_in_amount, charged_as_is_amount,
        from {latest("rpt_reorganisation")}
        where scenario_id = $scenario and period_id in ($period, $previous)
            and (moved_out_amount <> 0 or moved_in_amount <> 0)
        order by period_id desc, business_unit_name, business_unit_id
        """,
        selection.parameters,
    )


def read_bill_total(published: Published, selection: Selection) -> pd.DataFrame:
    """One row: what all bills of the period add up to, the month before, and the budget."""
    return read_frame(
        published,
        f"""
        select
            sum(charged_amount) filter (
                scenario_id = $scenario and period_id = $period
            ) as charged_amount,
            sum(charged_amount) filter (
                scenario_id = $scenario and period_id = $previous
            ) as previous_charged_amount,
            sum(charged_amount) filter (
                scenario_id = 'budget' and period_id = $period
            ) as budget_amount,
            sum(charged_amount) filter (scenario_id = $scenario and period_id = $period)
                - sum(charged_amount) filter (scenario_id = 'budget' and period_id = $period)
                as variance_amount,
            sum(cost_amount) filter (
                scenario_id = $scenario and period_id = $period and charging_policy = 'showback'
            ) as showback_amount,
            count(distinct business_unit_id) filter (
                scenario_id = $scenario and period_id = $period
            ) as business_unit_count,
        from {latest("rpt_bill_lines")}
        """,
        selection.parameters,
    )


def read_other_items(published: Published, selection: Selection) -> pd.DataFrame:
    """One row per item that is billed in the period besides its charges, the largest first; each
    row has their sum, and the sum of all items, charges among them."""
    return read_frame(
        published,
        f"""
        with items as (
            select
                *,
                sum(amount) over () as billed_amount,
                sum(amount) filter (item_kind <> 'charge') over () as besides_amount,
            from {latest("fct_bill_items_monthly")}
            where scenario_id = $scenario and period_id = $period
        )
        select
            period_id, version, bill_item_id, item_kind, business_unit_id, business_unit_name,
            cost_centre_id, cost_centre_name, service_id, service_name, origin_period_id,
            reference_id, reason, amount, besides_amount, billed_amount,
        from items
        where item_kind <> 'charge' and amount <> 0
        order by abs(amount) desc, bill_item_id
        """,
        selection.parameters,
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
        selection.parameters,
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
            period_id, version, charge_id, business_unit_id, business_unit_name, cost_centre_id,
            cost_centre_name, legal_entity_id, service_id, service_name, charging_policy,
            driver_name, driver_quality, quantity, unit_code, unit_rate, charged_amount,
            cost_amount, previous_charged_amount, budget_amount,
            charged_amount - previous_charged_amount as change_amount,
            charged_amount - budget_amount as variance_amount,
        from lines
        where scenario_id = $scenario and period_id = $period
            and ($business_unit is null or business_unit_id = $business_unit)
        order by business_unit_name, business_unit_id, charged_amount desc, cost_amount desc,
            cost_centre_id, service_id
        """,
        {**selection.parameters, "business_unit": business_unit_id},
    )


def read_consumers(published: Published, selection: Selection, service_id: str) -> pd.DataFrame:
    """One row per consumer of a service, and beside it the cost of all of them."""
    return read_frame(
        published,
        f"""
        select
            business_unit_id, business_unit_name, cost_centre_id, cost_centre_name, disposition,
            driver_quality, quantity, unit_code, unit_rate, cost_amount, charged_amount,
            sum(cost_amount) over () as total_amount,
        from {latest("fct_charges_monthly")}
        where scenario_id = $scenario and period_id = $period and service_id = $service
        order by cost_amount desc, cost_centre_id
        """,
        {**selection.parameters, "service": service_id},
    )


def read_consuming_units(
    published: Published, selection: Selection, service_id: str
) -> pd.DataFrame:
    """One row per business unit that a service is delivered to, with month before and budget."""
    return read_frame(
        published,
        f"""
        with members as ({_members()}),
        charges as (
            -- The month before by the units of this one, so that nobody rises by who joined.
            select charges.* replace (
                case when charges.period_id = $previous and members.business_unit_id is not null
                    then members.business_unit_id else charges.business_unit_id
                end as business_unit_id,
                case when charges.period_id = $previous and members.business_unit_id is not null
                    then members.business_unit_name else charges.business_unit_name
                end as business_unit_name
            ),
            from {latest("fct_charges_monthly")} as charges
            left join members on members.cost_centre_id = charges.cost_centre_id
            where charges.service_id = $service
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
            **selection.parameters,
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
            sum(sum(cost_amount)) over () as total_amount,
        from {latest("fct_charges_monthly")}
        where scenario_id = $scenario and period_id = $period and service_id = $service
            and driver_quality is not null
        group by driver_quality
        order by cost_amount desc, driver_quality
        """,
        {**selection.parameters, "service": service_id},
    )


def _members() -> str:
    """SQL for the business unit of every cost centre in the selected month."""
    return """
        select centres.cost_centre_id, centres.business_unit_id, centres.business_unit_name
        from dim_cost_centres as centres
        inner join dim_periods as periods on periods.period_id = $period
            and centres.valid_from < periods.period_end
            and (centres.valid_to is null or centres.valid_to > periods.period_start)
        qualify row_number() over (
            partition by centres.cost_centre_id order by centres.valid_from
        ) = 1
    """


def _lines(hierarchy: str) -> str:
    """SQL for the bill lines of the month, the one before and the budget, under a hierarchy."""
    bill_lines = (
        f"select * from {latest('rpt_bill_lines')} "
        "where (scenario_id = $scenario and period_id in ($period, $previous)) "
        "or (scenario_id = 'budget' and period_id = $period)"
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
        left join fct_charges_monthly as charges using (charge_id)
    """
