"""Unit cost beside its references and the quality that is delivered for it."""

from __future__ import annotations

import pandas as pd

from app.queries.published import IS_SERVICE, Published, latest, read_frame
from app.queries.service_costs import COSTS
from app.selection import Selection

SHOWN_MONTHS = 24


def read_unit_costs(published: Published, selection: Selection, service_id: str) -> pd.DataFrame:
    """One row per period: unit cost and quantity of a service, actual beside budget."""
    return read_frame(
        published,
        f"""
        select
            period_id,
            max(dim_periods.period_name) as period_name,
            max(unit_cost) filter (scenario_id = 'actual' and period_id <= $period)
                as actual_unit_cost,
            max(unit_cost) filter (scenario_id = 'budget') as budget_unit_cost,
            max(quantity) filter (scenario_id = 'actual' and period_id <= $period)
                as actual_quantity,
            max(quantity) filter (scenario_id = 'budget') as budget_quantity,
            max(unit_code) as unit_code,
        from {COSTS}
        inner join dim_periods using (period_id)
        where service_id = $service
            and (period_id <= $period or fiscal_year = $year)
        group by period_id
        having max(unit_cost) is not null
        order by period_id desc
        limit {SHOWN_MONTHS + 11}
        """,
        {**selection.parameters, "service": service_id},
    ).iloc[::-1]


def read_peers(published: Published, selection: Selection, service_id: str) -> pd.DataFrame:
    """One row per business unit: its unit cost, quantity and cost of a service."""
    return read_frame(
        published,
        f"""
        select business_unit_id, business_unit_name, quantity, unit_code, cost_amount, unit_cost
        from {latest("fct_unit_costs_monthly")}
        where scenario_id = $scenario and period_id = $period and service_id = $service
        order by quantity desc nulls last, business_unit_id
        """,
        {**selection.parameters, "service": service_id},
    )


def read_references(published: Published, service_id: str) -> pd.DataFrame:
    """One row per published reference figure of a service, the newest first."""
    return read_frame(
        published,
        """
        select
            benchmark_id, metric, unit_code, currency_code, low_value, median_value, high_value,
            source_name, publication_year, note,
        from fct_benchmarks
        where service_id = $service
        order by metric = 'unit_cost' desc, metric, publication_year desc, source_name, benchmark_id
        """,
        {"service": service_id},
    )


def read_quality(published: Published, selection: Selection, service_id: str) -> pd.DataFrame:
    """One row per period of the last twelve months: tickets, SLA, availability, support cost."""
    return read_frame(
        published,
        f"""
        select
            period_id, dim_periods.period_name, incident_count, request_count, change_count,
            ticket_count, response_attainment_share,
            resolution_attainment_share, sla_attainment_share, median_response_minutes,
            median_resolution_minutes, ticket_effort_hours, outage_minutes,
            planned_outage_minutes, availability_share, support_cost_per_ticket_amount,
        from {latest("fct_service_quality_monthly")}
        inner join dim_periods using (period_id)
        where scenario_id = 'actual' and service_id = $service and period_id <= $period
        order by period_id desc
        limit 12
        """,
        {**selection.parameters, "service": service_id},
    ).iloc[::-1]


def read_capacity(published: Published, selection: Selection, service_id: str) -> pd.DataFrame:
    """The row of the period: capacity of a service and how much of it is used."""
    return read_frame(
        published,
        f"""
        select capacity_quantity, capacity_unit_code, used_quantity, utilisation_share
        from {latest("fct_service_capacity_monthly")}
        where scenario_id = $scenario and period_id = $period and service_id = $service
        """,
        {**selection.parameters, "service": service_id},
    )


def read_overview(published: Published, selection: Selection) -> pd.DataFrame:
    """One row per service: unit cost beside budget and reference median, SLA, availability."""
    return read_frame(
        published,
        f"""
        with costs as (select * from {COSTS} where {IS_SERVICE}),
        units as (
            select
                service_id,
                max(service_name) as service_name,
                max(unit_code) as unit_code,
                max(unit_cost) filter (scenario_id = $scenario and period_id = $period)
                    as unit_cost,
                max(unit_cost) filter (scenario_id = 'budget' and period_id = $period)
                    as budget_unit_cost,
                max(delivered_amount) filter (scenario_id = $scenario and period_id = $period)
                    as delivered_amount,
            from costs
            group by service_id
        ),
        medians as (
            select service_id, unit_code, median_value, source_name, publication_year
            from fct_benchmarks
            where metric = 'unit_cost'
                and median_value is not null
                and currency_code = (select max(currency_code) from dim_run)
            qualify row_number() over (
                partition by service_id, unit_code
                order by publication_year desc, source_name, benchmark_id
            ) = 1
        ),
        quality as (
            select
                service_id, sla_attainment_share, availability_share,
                support_cost_per_ticket_amount
            from {latest("fct_service_quality_monthly")}
            where scenario_id = 'actual' and period_id = $period
        )
        select
            units.service_id,
            units.service_name,
            dim_services.owner_name,
            units.unit_code,
            units.unit_cost,
            units.budget_unit_cost,
            medians.median_value,
            medians.source_name,
            medians.publication_year,
            quality.sla_attainment_share,
            dim_services.sla_attainment_target_share,
            quality.availability_share,
            dim_services.availability_target_share,
            quality.support_cost_per_ticket_amount,
            units.delivered_amount,
        from units
        left join dim_services on dim_services.service_id = units.service_id
        left join medians
            on medians.service_id = units.service_id and medians.unit_code = units.unit_code
        left join quality on quality.service_id = units.service_id
        where units.delivered_amount is not null
        order by units.delivered_amount desc, units.service_id
        """,
        selection.parameters,
    )
