-- Money is that of the ledger lines that the feed's lines became, so that the parts sum to the feed.
with lines as (
    select *
    from {{ ref('int_ledger__lines') }}
    where not is_balancing
),

mapped as (
    select
        lines.scenario_id,
        lines.period_id,
        lines.version,
        decisions.source_id,
        decisions.target_kind,
        decisions.mapping_method,
        decisions.is_mapped,
        sum(lines.amount_units) as amount_units,
        sum(decisions.line_count) as line_count
    from {{ ref('int_tagging__decisions') }} as decisions
    inner join lines
        on decisions.scenario_id = lines.scenario_id
        and decisions.period_id = lines.period_id
        and decisions.source_id || ':' || decisions.cloud_line_key = lines.ledger_line_id
    group by all
),

totals as (
    select
        *,
        sum(amount_units) over (
            partition by scenario_id, period_id, version, source_id, target_kind
        ) as source_units
    from mapped
)

select
    scenario_id,
    period_id,
    version,
    source_id,
    target_kind,
    mapping_method,
    is_mapped,
    {{ units_to_amount('amount_units') }} as amount,
    {{ units_to_amount('source_units') }} as source_amount,
    -- A share of a bill that is nothing, or less because of credits, says nothing.
    case
        when source_units > 0
            then try_cast(
                {{ divide_integers('amount_units * 1000000', 'source_units') }} as decimal(12, 0)
            ) * cast(0.000001 as decimal(6, 6))
    end as amount_share,
    cast(line_count as bigint) as line_count
from totals
