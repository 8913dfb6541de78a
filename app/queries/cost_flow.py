"""The way of the money from cost pool to business unit, small nodes grouped."""

from __future__ import annotations

import pandas as pd

from app.queries.published import OUTSIDE_IT, Published, latest, read_frame
from app.selection import Selection

OTHER_ID = "(other)"


def read_cost_flow(published: Published, selection: Selection, nodes_per_stop: int) -> pd.DataFrame:
    """One row per flow between two nodes. Each stop keeps its `nodes_per_stop` largest nodes, the
    rest become one node '(other)'; nodes such as '(unallocated)' are always kept by name. Of IT
    cost only: what is out of scope, capitalised or a recovery posting is left out."""
    return read_frame(
        published,
        f"""
        with flows as (
            select * from {latest("rpt_cost_flow")}
            where scenario_id = $scenario and period_id = $period
                and from_id not in {OUTSIDE_IT} and to_id not in {OUTSIDE_IT}
        ),
        ends as (
            select from_stop as stop, from_id as node_id, from_name as node_name, amount
            from flows
            where from_stop = 'cost_pool'
            union all
            select to_stop, to_id, to_name, amount from flows
        ),
        ranked as (
            select
                stop,
                node_id,
                max(node_name) as node_name,
                row_number() over (
                    partition by stop, node_id like '(%'
                    order by sum(amount) desc, node_id
                ) as place,
            from ends
            group by stop, node_id
        ),
        nodes as (
            select
                stop,
                node_id,
                case when place <= $nodes or node_id like '(%' then node_id
                    else '{OTHER_ID}'
                end as shown_id,
                case when place <= $nodes or node_id like '(%' then node_name
                    else 'Other'
                end as shown_name,
            from ranked
        )
        select
            flows.from_stop,
            source.shown_id as from_id,
            source.shown_name as from_name,
            flows.to_stop,
            target.shown_id as to_id,
            target.shown_name as to_name,
            sum(flows.amount) as amount,
        from flows
        inner join nodes as source
            on source.stop = flows.from_stop and source.node_id = flows.from_id
        inner join nodes as target
            on target.stop = flows.to_stop and target.node_id = flows.to_id
        group by all
        order by flows.from_stop, amount desc, source.shown_id, target.shown_id
        """,
        {**selection.parameters, "nodes": nodes_per_stop},
    )
