"""Which periods there are, and which run made their figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from app.queries.published import Published, read_frame
from pipelines.warehouse.complete_periods import INCOMPLETE_SQL


@dataclass(frozen=True)
class RunFacts:
    """The one row of dim_run that pages need."""

    run_id: str
    workspace_name: str
    currency: str
    built_at: datetime


def read_run(published: Published) -> RunFacts:
    """Name, currency and time of the published run."""
    row = read_frame(
        published, "select run_id, workspace_name, currency_code, built_at from dim_run limit 1"
    ).iloc[0]
    return RunFacts(
        str(row["run_id"]),
        str(row["workspace_name"]),
        str(row["currency_code"]),
        row["built_at"].to_pydatetime(),
    )


def read_periods(published: Published) -> pd.DataFrame:
    """One row per period that has figures, in order, with the period before it."""
    return read_frame(
        published,
        """
        select
            period_id,
            period_name,
            fiscal_year,
            fiscal_period,
            has_actuals,
            has_budget,
            period_state,
            lag(period_id) over (order by period_id) as previous_period_id,
        from dim_periods
        order by period_id
        """,
    )


def read_incomplete_periods(published: Published) -> dict[str, str]:
    """What is missing in periods that are not complete, by period."""
    frame = read_frame(published, INCOMPLETE_SQL)
    return dict(zip(frame["period_id"].astype(str), frame["reason"].astype(str), strict=True))
