-- Pool money split over towers. Money that has left the flow passes through unchanged.
-- From here on a cell says how much of it rests on drivers that are estimated, stale or a fallback.
with cells as (
    select * from {{ ref('int_cost_pools__cells') }}
),

split as (
    select
        cells.scenario_id,
        cells.period_id,
        cells.version,
        weights.receiver_disposition as disposition,
        cells.cost_pool_id,
        case
            when weights.receiver_disposition = 'allocated' then weights.receiver_id
            else '(' || weights.receiver_disposition || ')'
        end as tower_id,
        cells.tagged_service_id,
        cells.tagged_consumer_id,
        {{ allocate_by_driver(
            'cells.amount_units', 'weights.weight_from', 'weights.weight_to', 'weights.weight_total'
        ) }} as amount_units,
        weights.split_quality_rank
    from cells
    inner join {{ ref('int_towers__weights') }} as weights
        on cells.scenario_id = weights.scenario_id
        and cells.period_id = weights.period_id
        and cells.version = weights.version
        and cells.tower_rule_id = weights.rule_id
        and cells.cost_centre_id = weights.sender_id
    where cells.disposition = 'allocated'
),

passed as (
    select
        scenario_id,
        period_id,
        version,
        case when disposition = 'allocated' then 'unmapped' else disposition end as disposition,
        cost_pool_id,
        case when disposition = 'allocated' then '(unmapped)' else '(' || disposition || ')' end as tower_id,
        tagged_service_id,
        tagged_consumer_id,
        amount_units,
        0 as split_quality_rank
    from cells
    where disposition <> 'allocated' or tower_rule_id is null
),

together as (
    select * from split
    union all
    select * from passed
)

select
    scenario_id,
    period_id,
    version,
    disposition,
    cost_pool_id,
    tower_id,
    tagged_service_id,
    tagged_consumer_id,
    sum(amount_units) as amount_units,
    sum(case when split_quality_rank >= 1 then amount_units else 0 end) as estimated_or_worse_units,
    sum(case when split_quality_rank >= 2 then amount_units else 0 end) as stale_or_worse_units,
    sum(case when split_quality_rank >= 3 then amount_units else 0 end) as fallback_units
from together
group by all
