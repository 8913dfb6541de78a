"""Adjustments that were accepted in the books, as a build reads them: rows of `model.adjustments`.

Each has the posting period that it got when it was accepted. A build of a closed period therefore
has the rows that were closed, and a period that is built again in a later version has them too.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

    from pipelines.books.books import Books

_COLUMNS = {
    "dispute_id": "varchar",
    "period_id": "varchar",
    "item_kind": "varchar",
    "service_id": "varchar",
    "cost_centre_id": "varchar",
    "origin_period_id": "varchar",
    "origin_version": "integer",
    "origin_charge_id": "varchar",
    "reason": "varchar",
    "amount": "decimal(28, 2)",
}


@dataclass(frozen=True)
class Adjustment:
    """An accepted dispute or adjustment; `period_id` is the one that it is posted in, `amount` in
    the reporting currency, a credit negative."""

    dispute_id: str
    period_id: str
    item_kind: str
    service_id: str
    cost_centre_id: str
    origin_period_id: str
    origin_version: int
    origin_charge_id: str | None
    reason: str
    amount: Decimal


def list_adjustments(books: Books) -> tuple[Adjustment, ...]:
    """Everything that was accepted, in the order of the ids."""
    from sqlalchemy import select

    from pipelines.books.tables import disputes

    query = select(disputes).where(disputes.c.state == "accepted").order_by(disputes.c.dispute_id)
    with books.read() as connection:
        return tuple(
            Adjustment(
                dispute_id=row["dispute_id"],
                period_id=row["posting_period_id"],
                item_kind=row["adjustment_kind"],
                service_id=row["service_id"],
                cost_centre_id=row["cost_centre_id"],
                origin_period_id=row["period_id"],
                origin_version=row["version"],
                origin_charge_id=row["charge_id"],
                reason=row["decision_reason"],
                amount=Decimal(row["adjusted_cents"]).scaleb(-2),
            )
            for row in connection.execute(query).mappings()
        )


def create_adjustments(
    connection: duckdb.DuckDBPyConnection, adjustments: tuple[Adjustment, ...]
) -> None:
    """Create `model.adjustments` with one row each."""
    columns = ", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())
    connection.execute(
        f"create or replace table model.adjustments (scenario_id varchar, {columns})"
    )
    if adjustments:
        places = ", ".join("?" for _ in _COLUMNS)
        connection.executemany(
            f"insert into model.adjustments values ('actual', {places})",
            [list(astuple(item)) for item in adjustments],
        )
