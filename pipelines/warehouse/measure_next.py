"""What to measure next: the money that rests on what nobody measured, from what is published."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.errors import UsageError

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class MeasureItem:
    """One rule, service or open item; amounts of several stops overlap and are not to be summed."""

    measure_rank: int
    stop_code: str
    basis_code: str
    subject_kind: str
    subject_id: str
    subject_name: str
    driver_id: str | None
    contract_id: str | None
    column_names: str | None
    amount: Decimal
    year_amount: Decimal
    what_to_do: str
    what_changes: str


def read_measure_next(
    connection: duckdb.DuckDBPyConnection, period_id: str | None, scenario_id: str = "actual"
) -> tuple[str | None, list[MeasureItem]]:
    """(period, its items by rank); with None the latest period that has actual figures, and None
    where there is none. Raises UsageError for a period that the calendar does not have."""
    if period_id is None:
        row = connection.execute(
            "select max(period_id) from dim_periods where has_actuals"
        ).fetchone()
        period_id = row[0] if row else None
    elif not connection.execute(
        "select 1 from dim_periods where period_id = ?", [period_id]
    ).fetchone():
        raise UsageError(f"the calendar has no period '{period_id}'; see 'from dim_periods'")
    names = ", ".join(MeasureItem.__dataclass_fields__)
    rows = connection.execute(
        f"select {names} from rpt_measure_next "
        "where scenario_id = $scenario and period_id = $period order by measure_rank",
        {"scenario": scenario_id, "period": period_id},
    ).fetchall()
    return period_id, [MeasureItem(*row) for row in rows]
