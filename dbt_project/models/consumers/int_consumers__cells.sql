-- Delivered cost split over cost centres: who consumed it, of which pool and tower. What rests on worse
-- drivers is split alike; the driver of the service itself is in it already.
{% set levels = ['estimated_or_worse', 'stale_or_worse', 'fallback'] %}
with cells as (
    select * from {{ ref('int_delivered_services__cells') }}
),

split as (
    select
        cells.scenario_id,
        cells.period_id,
        cells.version,
        weights.receiver_disposition as disposition,
        cells.cost_pool_id,
        cells.tower_id,
        cells.service_id,
        weights.receiver_id as cost_centre_id,
        {{ allocate_by_driver(
            'cells.amount_units', 'weights.weight_from', 'weights.weight_to', 'weights.weight_total'
        ) }} as amount_units,
        cells.amount_units as sender_units,
        cells.estimated_or_worse_units as sender_estimated_or_worse_units,
        cells.stale_or_worse_units as sender_stale_or_worse_units,
        cells.fallback_units as sender_fallback_units,
        weights.weight_from,
        weights.weight_to,
        weights.weight_total
    from cells
    inner join {{ ref('int_consumers__weights') }} as weights
        on cells.scenario_id = weights.scenario_id
        and cells.period_id = weights.period_id
        and cells.version = weights.version
        and cells.service_id = weights.service_id
    where cells.disposition = 'allocated' and cells.tagged_consumer_id is null
),

rested as (
    select
        scenario_id,
        period_id,
        version,
        disposition,
        cost_pool_id,
        tower_id,
        service_id,
        cost_centre_id,
        amount_units,
    {% for level in levels %}
        {{ split_rested_units(
            'sender_' ~ level ~ '_units', 'sender_units', 'amount_units', 'false',
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
        case when centres.cost_centre_id is null then 'unmapped' else 'allocated' end as disposition,
        cells.cost_pool_id,
        cells.tower_id,
        cells.service_id,
        cells.tagged_consumer_id as cost_centre_id,
        cells.amount_units,
        cells.estimated_or_worse_units,
        cells.stale_or_worse_units,
        cells.fallback_units
    from cells
    left join {{ ref('int_consumers__known') }} as centres
        on cells.tagged_consumer_id = centres.cost_centre_id and cells.period_id = centres.period_id
    where cells.disposition = 'allocated' and cells.tagged_consumer_id is not null
),

passed as (
    select
        scenario_id,
        period_id,
        version,
        disposition,
        cost_pool_id,
        tower_id,
        service_id,
        '(' || disposition || ')' as cost_centre_id,
        amount_units,
        estimated_or_worse_units,
        stale_or_worse_units,
        fallback_units
    from cells
    where disposition <> 'allocated'
),

together as (
    select * from rested
    union all
    select * from tagged
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
    service_id,
    cost_centre_id,
    sum(amount_units) as amount_units,
    sum(estimated_or_worse_units) as estimated_or_worse_units,
    sum(stale_or_worse_units) as stale_or_worse_units,
    sum(fallback_units) as fallback_units
from together
group by all
