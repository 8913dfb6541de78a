"""On how good drivers charges rest: the parts of their cost by the worst driver on the way."""

from __future__ import annotations

import pandas as pd

from app.queries.published import Published, latest, read_frame
from app.selection import Selection


def read_confidence(
    published: Published, selection: Selection, service_id: str | None = None
) -> pd.DataFrame:
    """One row: cost of the charge lines of the period, or of one service's, and its four parts."""
    return read_frame(
        published,
        f"""
        select
            sum(cost_amount) as cost_amount,
            sum(measured_amount) as measured_amount,
            sum(estimated_amount) as estimated_amount,
            sum(stale_amount) as stale_amount,
            sum(fallback_amount) as fallback_amount,
        from {latest("fct_charges_monthly")}
        where scenario_id = $scenario and period_id = $period and disposition = 'allocated'
            and ($service is null or service_id = $service)
        """,
        {**selection.parameters, "service": service_id},
    )
