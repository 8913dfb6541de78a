"""Which periods with figures are not complete, so that a fall in them is none.

A month is compared with another one as if both were whole. One is not where a source that delivered
in each of the periods before it (up to three) has delivered nothing, or where the records of the
control total end more than a week before the period does, as they did not in the period before (of
the first period: in the one after). A closed period is complete: somebody signed that it is.

Reads what the data checks counted; where they counted nothing, nothing is known to be missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

INCOMPLETE_SQL = """
with periods as (
    select
        period_id, period_start, period_end, has_actuals, period_state,
        row_number() over (order by period_start) as period_number,
    from dim_periods
),

delivered as (
    select counts.source_id, periods.period_number, max(counts.last_date) as last_date,
    from rpt_data_source_periods as counts
    inner join periods on counts.period_id = periods.period_id
    where counts.scenario_id = 'actual' and counts.record_count > 0
    group by all
),

spans as (
    select source_id, min(period_number) as first_number from delivered group by source_id
),

missing as (
    select
        periods.period_id, sources.source_order as reason_order,
        'no delivery of ' || lower(sources.source_name[1:1]) || sources.source_name[2:] as reason,
    from periods
    inner join spans on spans.first_number < periods.period_number
    inner join rpt_data_sources as sources on sources.source_id = spans.source_id
    inner join delivered
        on delivered.source_id = spans.source_id
        and delivered.period_number between periods.period_number - 3 and periods.period_number - 1
    anti join delivered as own
        on own.source_id = spans.source_id and own.period_number = periods.period_number
    where periods.has_actuals and periods.period_state <> 'closed'
    group by all
    having count(*) = least(3, max(periods.period_number - spans.first_number))
),

dated as (
    select
        periods.period_id,
        max(delivered.last_date) as last_date,
        max(delivered.last_date) < any_value(periods.period_end) - interval 8 day as ends_early,
    from periods
    inner join delivered on delivered.period_number = periods.period_number
    where delivered.last_date is not null
    group by periods.period_id
),

short as (
    select
        periods.period_id, -1 as reason_order,
        'postings to ' || strftime(dated.last_date, '%-d %b') || ' only' as reason,
    from periods
    inner join dated on dated.period_id = periods.period_id
    left join periods as previous on previous.period_number = periods.period_number - 1
    left join dated as before on before.period_id = previous.period_id
    left join periods as following on following.period_number = periods.period_number + 1
    left join dated as later on later.period_id = following.period_id
    where periods.has_actuals and periods.period_state <> 'closed'
        and dated.ends_early and not coalesce(before.ends_early, later.ends_early, true)
)

select period_id, string_agg(reason, ', ' order by reason_order, reason) as reason
from (from missing union all from short)
group by period_id
order by period_id
"""
"""One row per period that is not complete, with what is missing in it."""


def read_incomplete(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """What is missing, by period; complete periods are left out."""
    return dict(connection.execute(INCOMPLETE_SQL).fetchall())
