"""The use of services as the edges that the solver of shared services reads.

All receivers that are no services count as one, `outside`: the solver asks which part of a service
leaves IT, not to whom. One place, so that all that is solved for a period is solved on one graph.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

OUTSIDE = "outside"


def select_edges(use: duckdb.DuckDBPyRelation) -> pa.Table:
    """Edges of `int_delivered_services__use` with their weights summed, in a fixed order."""
    inside = "receiver_kind = 'service'"
    edges = use.aggregate(
        "scenario_id, period_id, version, service_id, "
        f"case when {inside} then 'service' else '{OUTSIDE}' end as receiver_kind, "
        f"case when {inside} then receiver_id else '' end as receiver_id, "
        "sum(weight) as weight"
    ).order("all")
    table: pa.Table = edges.to_arrow_table()
    return table


def select_ranks(use: duckdb.DuckDBPyRelation) -> pa.Table:
    """Per service how sure its split is, as by the macro `split_quality_rank`.

    Ranks are measured 0, estimated 1, stale 2, fallback or unknown 3.

    The least sure of its quantities decides, since every share rests on all of them; declared
    shares of several receivers, which have no quantity, are an estimate.
    """
    rank = (
        "case driver_quality when 'measured' then 0 when 'estimated' then 1 when 'stale' then 2 "
        "else 3 end"
    )
    has_declared = "bool_or(driver_quality = 'measured' and quantity is null)"
    has_several = "count(distinct (receiver_kind, receiver_id)) > 1"
    ranks = use.aggregate(
        "scenario_id, period_id, version, service_id, "
        f"greatest(max({rank}), case when {has_declared} and {has_several} then 1 else 0 end) "
        "as quality_rank"
    ).order("all")
    table: pa.Table = ranks.to_arrow_table()
    return table
