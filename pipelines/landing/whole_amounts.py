"""Whether all amounts of a delivery are written without decimals, as a file in cents has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.landing.delivery import Delivery
from pipelines.landing.record_counts import RecordCounts
from pipelines.landing.typed_records import TypedRecords

if TYPE_CHECKING:
    import duckdb

LEAST_RECORDS = 20
"""Records from which on whole amounts of a format that does not keep how they were written (JSON, a
sheet, Parquet) say something: few of them are often round. With fewer, only large ones do."""
LEAST_OF_FEW = 10_000
"""Of few records each amount is at least this, before they are asked about: as cents that is 100.00
and like a posting, while 60 or 1200 are amounts that people write without decimals."""


def are_amounts_whole(
    connection: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    records: TypedRecords,
    counts: RecordCounts,
    texts: str | None,
) -> bool:
    """Whether no accepted amount has decimals. `texts` selects the fields as they were written, and
    is None where the format does not keep that: there 1000.00 is 1000."""
    name = delivery.contract.amount_field
    if name is None or not any(item.gross_local for item in counts.by_period):
        return False
    broken = f'"{name}" <> trunc("{name}")'
    with_cents = f"select 1 from {records.relation} where {records.good} and {broken} limit 1"
    if connection.execute(with_cents).fetchone() is not None:
        return False
    if texts is None:
        return counts.accepted >= LEAST_RECORDS
    small = f'{records.good} and "{name}" <> 0 and abs("{name}") < {LEAST_OF_FEW}'
    with_small = f"select 1 from {records.relation} where {small} limit 1"
    if counts.accepted < LEAST_RECORDS and connection.execute(with_small).fetchone() is not None:
        return False
    written = f"select 1 from ({texts}) where contains(\"{name}\", '.') limit 1"
    return connection.execute(written).fetchone() is None
