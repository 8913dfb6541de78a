-- Tower money split over services: the direct cost of each service, by pool and tower.
{% set levels = [('estimated_or_worse', 1), ('stale_or_worse', 2), ('fallback', 3)] %}
with cells as (
    select
        cells.*,
        matches.rule_id,
        coalesce(matches.to_tagged_service, false) as to_tagged_service
    from {{ ref('int_towers__cells') }} as cells
    left join {{ ref('int_services__rule_matches') }} as matches
        on cells.scenario_id = matches.scenario_id
        and cells.period_id = matches.period_id
        and cells.tower_id = matches.tower_id
        and cells.cost_pool_id = matches.cost_pool_id
        and (cells.tagged_service_id is not null) = matches.is_tagged
),

split as (
    select
        cells.scenario_id,
        cells.period_id,
        cells.version,
        weights.receiver_disposition as disposition,
        cells.cost_pool_id,
        cells.tower_id,
        case
            when weights.receiver_disposition = 'allocated' then weights.receiver_id
            else '(' || weights.receiver_disposition || ')'
        end as service_id,
        cells.tagged_consumer_id,
        {{ allocate_by_driver(
            'cells.amount_units', 'weights.weight_from', 'weights.weight_to', 'weights.weight_total'
        ) }} as amount_units,
        cells.amount_units as sender_units,
        cells.estimated_or_worse_units as sender_estimated_or_worse_units,
        cells.stale_or_worse_units as sender_stale_or_worse_units,
        cells.fallback_units as sender_fallback_units,
        weights.split_quality_rank,
        weights.weight_from,
        weights.weight_to,
        weights.weight_total
    from cells
    inner join {{ ref('int_services__weights') }} as weights
        on cells.scenario_id = weights.scenario_id
        and cells.period_id = weights.period_id
        and cells.version = weights.version
        and cells.rule_id = weights.rule_id
        and cells.tower_id = weights.sender_id
    where cells.disposition = 'allocated' and not cells.to_tagged_service
),

rested as (
    select
        * exclude (weight_from, weight_to, weight_total),
    {% for level, rank in levels %}
        {{ split_rested_units(
            'sender_' ~ level ~ '_units', 'sender_units', 'amount_units', 'split_quality_rank >= ' ~ rank,
            'weight_from', 'weight_to', 'weight_total'
        ) }} as {{ level }}_units{{ ',' if not loop.last }}
    {% endfor %}
    from split
),

tagged as (
    select
        cells.scenario_id,
        cells.period_id,
        cells.version,
        case when services.service_id is null then 'unmapped' else 'allocated' end as disposition,
        cells.cost_pool_id,
        cells.tower_id,
        coalesce(services.service_id, '(unmapped)') as service_id,
        cells.tagged_consumer_id,
        cells.amount_units,
        cells.estimated_or_worse_units,
        cells.stale_or_worse_units,
        cells.fallback_units
    from cells
    left join {{ ref('int_services__known') }} as services on cells.tagged_service_id = services.service_id
    where cells.disposition = 'allocated' and cells.to_tagged_service
),

passed as (
    select
        scenario_id,
        period_id,
        version,
        case when disposition = 'allocated' then 'unmapped' else disposition end as disposition,
        cost_pool_id,
        tower_id,
        case when disposition = 'allocated' then '(unmapped)' else '(' || disposition || ')' end as service_id,
        tagged_consumer_id,
        amount_units,
        estimated_or_worse_units,
        stale_or_worse_units,
        fallback_units
    from cells
    where disposition <> 'allocated' or (rule_id is null and not to_tagged_service)
),

together as (
    select * from rested
    union all by name
    select * from tagged
    union all by name
    select * from passed
)

select
    scenario_id,
    period_id,
    version,
    disposition,
    cost_pool_id,
    tower_id,
    service_id,
    tagged_consumer_id,
    sum(amount_units) as amount_units,
    sum(estimated_or_worse_units) as estimated_or_worse_units,
    sum(stale_or_worse_units) as stale_or_worse_units,
    sum(fallback_units) as fallback_units
from together
group by all
