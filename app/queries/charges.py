"""What is charged to whom: bills, their lines, and the consumers of a service."""

from __future__ import annotations

import pandas as pd

from app.queries.published import Published, latest, read_frame
from app.selection import Selection

HIERARCHIES = ("as_was", "as_is")
"""As was: business units as they were in the period. As is: as they are today."""

_NOW = "scenario_id = $scenario and period_id = $period"
_BEFORE = "scenario_id = $scenario and period_id = $previous"
_BUDGET = "scenario_id = 'budget' and period_id = $period"

_SUMS_OF_ITEMS = f"""
    sum(amount) filter ({_NOW}) as billed_amount,
    sum(amount) filter ({_NOW} and item_kind = 'charge') as charged_amount,
    sum(amount) filter ({_NOW} and item_kind <> 'charge') as other_amount,
    sum(amount) filter ({_BEFORE}) as previous_billed_amount,
    sum(amount) filter ({_BUDGET}) as budget_amount,
"""
"""Billed is charged and other items together: one definition for units and for their total."""


def read_bills(published: Published, selection: Selection, hierarchy: str) -> pd.DataFrame:
    """One row per business unit: billed in all, of it charged and other items, the bill of the
    month before and of the budget, and cost shown but not charged.

    Month before and budget are the sums of that month's and scenario's own bills, so that an item
    which is no longer there counts. The change is like for like: `comparable_amount` is what the
    month before billed to the cost centres that the unit has in this one, and `moved_amount` what
    moved with those that joined or left it.
    """
    return read_frame(
        published,
        f"""
        with lines as ({_lines(hierarchy)}),
        items as ({_items(hierarchy)}),
        members as ({_members()}),
        regrouped as (
            select
                coalesce(
                    case when $hierarchy = 'as_was' then members.business_unit_id end,
                    items.business_unit_id
                ) as business_unit_id,
                sum(items.amount) as comparable_amount,
            from items
            left join members on members.cost_centre_id = items.cost_centre_id
            where items.scenario_id = $scenario and items.period_id = $previous
            group by all
        ),
        shown as (
            select
                business_unit_id,
                max(business_unit_name) as business_unit_name,
                sum(cost_amount) filter (charging_policy = 'showback') as showback_amount,
                count(*) as line_count,
            from lines
            where scenario_id = $scenario and period_id = $period
            group by business_unit_id
        ),
        billed as (
            select
                business_unit_id,
                max(business_unit_name) as business_unit_name,
                {_SUMS_OF_ITEMS}
            from items
            group by business_unit_id
        )
        select
            business_unit_id,
            coalesce(shown.business_unit_name, billed.business_unit_name) as business_unit_name,
            dim_business_units.division_name,
            coalesce(billed.billed_amount, 0) as billed_amount,
            coalesce(billed.charged_amount, 0) as charged_amount,
            coalesce(billed.other_amount, 0) as other_amount,
            billed.previous_billed_amount,
            regrouped.comparable_amount,
            regrouped.comparable_amount - coalesce(billed.previous_billed_amount, 0)
                as moved_amount,
            coalesce(billed.billed_amount, 0) - regrouped.comparable_amount as change_amount,
            billed.budget_amount,
            coalesce(billed.billed_amount, 0) - billed.budget_amount as variance_amount,
            shown.showback_amount,
            coalesce(shown.line_count, 0) as line_count,
        from billed
        full outer join shown using (business_unit_id)
        left join dim_business_units using (business_unit_id)
        left join regrouped using (business_unit_id)
        where shown.line_count > 0 or billed.billed_amount <> 0
            or billed.previous_billed_amount <> 0 or billed.budget_amount <> 0
        order by coalesce(billed.billed_amount, 0) desc, business_unit_id
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
    """One row: what all bills of the period add up to, of it charged and other items, the bills of
    the month before and of the budget."""
    return read_frame(
        published,
        f"""
        with items as ({_items("as_was")}),
        lines as ({_lines("as_was")})
        select
            {_SUMS_OF_ITEMS}
            sum(amount) filter ({_NOW}) - sum(amount) filter ({_BUDGET}) as variance_amount,
            (
                select sum(cost_amount) filter (charging_policy = 'showback')
                from lines where {_NOW}
            ) as showback_amount,
            (select count(distinct business_unit_id) from lines where {_NOW})
                as business_unit_count,
        from items
        """,
        selection.parameters,
    )


def read_other_items(published: Published, selection: Selection) -> pd.DataFrame:
    """One row per item that is billed in the period and is no charge, the largest first."""
    return read_frame(
        published,
        f"""
        select
            period_id, version, bill_item_id, item_kind, business_unit_id, business_unit_name,
            cost_centre_id, cost_centre_name, service_id, service_name, origin_period_id,
            reference_id, reason, amount,
        from {latest("fct_bill_items_monthly")}
        where {_NOW} and item_kind <> 'charge' and amount <> 0
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
    """One row per consumer of a service, and beside it the cost of all of them. `unit_rate` is what
    a unit is charged at, as on the bill, and not what it costs."""
    return read_frame(
        published,
        f"""
        select
            business_unit_id, business_unit_name, cost_centre_id, cost_centre_name, disposition,
            driver_quality, quantity, unit_code,
            case when disposition = 'allocated' then coalesce(price_rate, unit_rate) end
                as unit_rate,
            cost_amount, charged_amount,
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


def _items(hierarchy: str) -> str:
    """SQL for the items of the bills of the month, the one before and the budget."""
    items = (
        f"select * from {latest('fct_bill_items_monthly')} "
        f"where ({_NOW}) or ({_BEFORE}) or ({_BUDGET})"
    )
    if hierarchy != "as_is":
        return items
    return f"""
        select
            item.* replace (
                coalesce(
                    charges.business_unit_as_is_id, centres.business_unit_id, item.business_unit_id
                ) as business_unit_id,
                coalesce(
                    charges.business_unit_as_is_name,
                    centres.business_unit_name,
                    item.business_unit_name
                ) as business_unit_name
            ),
        from ({items}) as item
        left join fct_charges_monthly as charges on item.bill_item_id = charges.charge_id
        left join (from dim_cost_centres where is_current) as centres
            on item.cost_centre_id = centres.cost_centre_id
    """
