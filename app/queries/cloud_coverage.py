"""How the cloud bills are mapped to services and consumers, and what the rest has in common."""

from __future__ import annotations

import pandas as pd

from app.queries.published import Published, latest, read_frame
from app.selection import Selection


def read_coverage(published: Published, selection: Selection) -> pd.DataFrame:
    """One row per target (service first) and way of mapping, over all bills of the period."""
    return read_frame(
        published,
        f"""
        with parts as (
            select
                target_kind,
                mapping_method,
                bool_and(is_mapped) as is_mapped,
                sum(amount) as amount,
                sum(line_count) as line_count,
            from {latest("rpt_tag_coverage")}
            where scenario_id = $scenario and period_id = $period
            group by target_kind, mapping_method
        )
        select
            *,
            sum(amount) over (partition by target_kind) as bill_amount,
            sum(amount) filter (is_mapped) over (partition by target_kind) as mapped_amount,
            sum(amount) filter (not is_mapped) over (partition by target_kind) as open_amount,
        from parts
        order by
            target_kind desc,
            list_position(
                ['rule', 'tag', 'feed', 'driver', 'unknown', 'unmapped'], mapping_method
            )
        """,
        selection.parameters,
    )


def read_coverage_trend(published: Published, selection: Selection) -> pd.DataFrame:
    """One row per period up to the selected one (24 at most) and way of mapping to a service."""
    return read_frame(
        published,
        f"""
        with parts as (
            select period_id, mapping_method, sum(amount) as amount
            from {latest("rpt_tag_coverage")}
            where scenario_id = $scenario and period_id <= $period and target_kind = 'service'
            group by period_id, mapping_method
        )
        select parts.period_id, periods.period_name, parts.mapping_method, parts.amount
        from parts
        inner join dim_periods as periods on parts.period_id = periods.period_id
        qualify dense_rank() over (order by parts.period_id desc) <= 24
        order by parts.period_id, parts.mapping_method
        """,
        selection.parameters,
    )


def read_unmapped_keys(published: Published, selection: Selection) -> pd.DataFrame:
    """One row per key of unmapped lines, the largest first; keys of lines without a consumer only
    where the bill names consumers at all, and leaves not all of them to drivers."""
    return read_frame(
        published,
        f"""
        with named as (
            select distinct source_id, target_kind
            from {latest("rpt_tag_coverage")}
            where scenario_id = $scenario and period_id = $period
                and (
                    target_kind = 'service'
                    or mapping_method in ('rule', 'tag', 'feed', 'unknown')
                )
        )
        select
            keys.target_kind, keys.key_kind, keys.key_name, keys.key_value, keys.amount,
            keys.line_count, keys.source_id,
        from {latest("rpt_unmapped_keys")} as keys
        inner join named using (source_id, target_kind)
        where keys.scenario_id = $scenario and keys.period_id = $period
        order by keys.target_kind desc, abs(keys.amount) desc, keys.line_count desc, keys.key_kind,
            keys.key_name, keys.key_value
        """,
        selection.parameters,
    )


def read_drift(published: Published, selection: Selection) -> pd.DataFrame:
    """One row per spelling of a tag that looks like another one, the most money first."""
    return read_frame(
        published,
        f"""
        select drift_kind, tag_key, found_text, proposed_text, amount, line_count
        from {latest("rpt_tag_drift")}
        where scenario_id = $scenario and period_id = $period
        order by abs(amount) desc, tag_key, found_text
        """,
        selection.parameters,
    )


def read_bill_tie(published: Published, selection: Selection) -> pd.DataFrame:
    """One row: the parts of the coverage summed per target, the cost lines of the same bills
    summed (but for discounts that are not passed on, which are of no bill line), and the larger
    of the two differences."""
    return read_frame(
        published,
        f"""
        with parts as (
            select
                sum(amount) filter (target_kind = 'service') as service_amount,
                sum(amount) filter (target_kind = 'consumer') as consumer_amount,
            from {latest("rpt_tag_coverage")}
            where scenario_id = $scenario and period_id = $period
        ),
        lines as (
            select sum(amount) as bill_amount
            from {latest("fct_ledger_lines")}
            where scenario_id = $scenario and period_id = $period and not is_balancing
                and source_id in (select source_id from rpt_tag_coverage)
                and not starts_with(ledger_line_id, source_id || ':discount:')
        )
        select
            *,
            greatest(
                abs(service_amount - bill_amount), abs(consumer_amount - bill_amount)
            ) as difference_amount,
        from parts
        cross join lines
        """,
        selection.parameters,
    )
