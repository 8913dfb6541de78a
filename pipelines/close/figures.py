"""The published figures of one period, and what identifies them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipelines.close.period_states import ACTUAL, Figures
from pipelines.errors import UsageError

if TYPE_CHECKING:
    import duckdb

SIGNED_MARTS = (
    *("fct_charges_monthly", "fct_charge_breakdown_monthly", "rpt_certificate"),
    "fct_bill_items_monthly",
)
"""What a signature is for: the charges, what they are made of, the proof, and what is billed. Notes
whose sum is 0 change no other mart."""


def read_figures(connection: duckdb.DuckDBPyConnection, period_id: str) -> Figures:
    """The run that is published and the hash of the period's figures in it.

    The hash is over the rows as text, in an order of their own, so that the same figures of another
    run have the same hash. Raises UsageError where nothing of the period is published.
    """
    run = connection.execute("select run_id from dim_run").fetchone()
    assert run is not None
    row = connection.execute(
        # A month whose records are all in quarantine has a certificate and no charge.
        "select count(*) from rpt_certificate where scenario_id = ? and period_id = ?",
        [ACTUAL, period_id],
    ).fetchone()
    assert row is not None
    if not row[0]:
        found = connection.execute(
            "select min(period_id), max(period_id) from dim_periods where has_actuals"
        ).fetchone()
        first, last = found or (None, None)
        span = f"published are {first} to {last}" if first else "nothing is published"
        raise UsageError(f"there are no figures of {period_id}: {span}")
    return Figures(run[0], hash_figures(connection, period_id, SIGNED_MARTS))


def hash_figures(
    connection: duckdb.DuckDBPyConnection, period_id: str, relations: Sequence[str]
) -> str:
    """The hash of the rows of a period in `relations`, the signed marts in their order."""
    parts = " || '/' || ".join(
        f"(select sha256(coalesce(string_agg(line, chr(10) order by line), '')) from "
        f"(select cast(mart as varchar) as line from {relation} as mart "
        "where scenario_id = $scenario and period_id = $period))"
        for relation in relations
    )
    row = connection.execute(
        f"select sha256({parts})", {"scenario": ACTUAL, "period": period_id}
    ).fetchone()
    assert row is not None
    return str(row[0])
