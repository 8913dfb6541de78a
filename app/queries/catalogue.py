"""The service catalogue: what is offered, at which price, unit cost and service level."""

from __future__ import annotations

import pandas as pd

from app.queries.published import Published, latest, read_frame
from app.queries.service_costs import COSTS
from app.selection import Selection


def read_catalogue(published: Published, selection: Selection) -> pd.DataFrame:
    """One row per service of the catalogue with its latest unit cost up to the selected period."""
    return read_frame(
        published,
        f"""
        with unit_costs as (
            select service_id, unit_cost, period_id as unit_cost_period_id
            from {COSTS}
            where scenario_id = $scenario and period_id <= $period and unit_cost is not null
            qualify row_number() over (partition by service_id order by period_id desc) = 1
        ),
        consumers as (
            select service_id, count(distinct business_unit_id) as business_unit_count
            from {latest("fct_charges_monthly")}
            where scenario_id = $scenario and period_id = $period and disposition = 'allocated'
            group by service_id
        ),
        offerings as (
            select
                service_id,
                list({{'name': offering_name, 'description': description}} order by offering_name)
                    as offerings,
            from dim_service_offerings
            group by service_id
        )
        select
            dim_services.*,
            unit_costs.unit_cost,
            unit_costs.unit_cost_period_id,
            consumers.business_unit_count,
            offerings.offerings,
        from dim_services
        left join unit_costs using (service_id)
        left join consumers using (service_id)
        left join offerings using (service_id)
        order by category_name, service_name, service_id
        """,
        selection.parameters,
    )


def read_service_names(published: Published) -> dict[str, str]:
    """Name by id of every service of the catalogue, by name."""
    frame = read_frame(
        published,
        """
        select service_id, service_name from dim_services order by lower(service_name), service_id
        """,
    )
    return dict(zip(frame["service_id"], frame["service_name"], strict=True))


def read_service_facts(published: Published, service_id: str) -> pd.DataFrame:
    """The row of dim_services of one service."""
    return read_frame(
        published, "select * from dim_services where service_id = $service", {"service": service_id}
    )
