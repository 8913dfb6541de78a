-- A bill line whose combination of attributes has no match, or has two, would be lost or counted twice
-- before it becomes a cost line; beside a ledger the balancing line would hide it.
with delivered as (
    select
        scenario_id,
        period_id,
        source_id,
        billing_currency as currency_code,
        sum(amount_local) as amount_local,
        count(*) as line_count
    from {{ ref('stg_cloud_bill__lines') }}
    group by all
),

metered as (
    select
        scenario_id,
        period_id,
        source_id,
        currency_code,
        sum(amount_local) as amount_local,
        sum(line_count) as line_count
    from {{ ref('met_cloud_costs') }}
    group by all
)

select
    coalesce(delivered.scenario_id, metered.scenario_id) as scenario_id,
    coalesce(delivered.period_id, metered.period_id) as period_id,
    coalesce(delivered.source_id, metered.source_id) as source_id,
    coalesce(delivered.currency_code, metered.currency_code) as currency_code,
    delivered.amount_local as delivered_amount_local,
    metered.amount_local as metered_amount_local,
    coalesce(metered.amount_local, 0) - coalesce(delivered.amount_local, 0) as difference_amount_local,
    delivered.line_count as delivered_line_count,
    metered.line_count as metered_line_count
from delivered
full outer join metered
    on delivered.scenario_id is not distinct from metered.scenario_id
    and delivered.period_id is not distinct from metered.period_id
    and delivered.source_id is not distinct from metered.source_id
    and delivered.currency_code is not distinct from metered.currency_code
where
    delivered.amount_local is distinct from metered.amount_local
    or delivered.line_count is distinct from metered.line_count
