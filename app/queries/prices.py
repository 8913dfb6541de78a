"""At what each service is charged in a period: its policy, and its price where it has one."""

from __future__ import annotations

from itertools import groupby

from app.queries.method_sheets import make_reader
from app.queries.published import Published, latest
from app.selection import Selection
from pipelines.billing.price_terms import PriceTerms, make_terms


def read_price_terms(
    published: Published, selection: Selection, service_id: str | None = None
) -> dict[str, PriceTerms]:
    """The terms of the selected period by service; of one, or of all that the period knows."""
    rows = make_reader(published)(
        f"""
        select prices.*, coalesce(services.unit_name, prices.unit_code, 'unit') as unit_name
        from {latest("fct_prices_monthly")} as prices
        left join dim_services as services using (service_id)
        where prices.scenario_id = $scenario and prices.period_id = $period
            and ($service is null or service_id = $service)
        order by service_id, tier_number
        """,
        {**selection.parameters, "service": service_id},
    )
    found = {}
    for service, group in groupby(rows, key=lambda row: str(row["service_id"])):
        tiers = list(group)
        terms = make_terms(tiers, str(tiers[0]["unit_name"]))
        assert terms is not None
        found[service] = terms
    return found
