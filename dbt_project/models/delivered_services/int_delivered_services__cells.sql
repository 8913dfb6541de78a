-- Direct cost moved to the services through which it leaves IT. Lines that are tagged with their
-- consumer leave through the service they are tagged with. Of money that comes in sure, the part that
-- passes a service with a worse driver rests on that driver from here on; the last service of the way
-- is one of them, so that the split over its consumers, by the same driver, adds nothing.
{% set levels = ['estimated_or_worse', 'stale_or_worse', 'fallback'] %}
with cells as (
    select * from {{ ref('int_services__cells') }}
),

split as (
    select
        cells.scenario_id,
        cells.period_id,
        cells.version,
        cells.disposition,
        cells.cost_pool_id,
        cells.tower_id,
        ranges.to_service_id as service_id,
        cells.tagged_consumer_id,
        {{ allocate_by_driver(
            'cells.amount_units', 'ranges.weight_from', 'ranges.weight_to', 'ranges.weight_total'
        ) }} as amount_units,
        cells.amount_units as sender_units,
        cells.estimated_or_worse_units as sender_estimated_or_worse_units,
        cells.stale_or_worse_units as sender_stale_or_worse_units,
        cells.fallback_units as sender_fallback_units,
        ranges.estimated_or_worse_weight,
        ranges.stale_or_worse_weight,
        ranges.fallback_weight,
        ranges.weight,
        ranges.weight_from,
        ranges.weight_to,
        ranges.weight_total
    from cells
    inner join {{ ref('int_delivered_services__ranges') }} as ranges
        on cells.scenario_id = ranges.scenario_id
        and cells.period_id = ranges.period_id
        and cells.version = ranges.version
        and cells.service_id = ranges.from_service_id
    where cells.disposition = 'allocated' and cells.tagged_consumer_id is null
),

arrived as (
    select
        *,
    {% for level in levels %}
        {{ split_rested_units(
            'sender_' ~ level ~ '_units', 'sender_units', 'amount_units', level ~ '_weight = weight',
            'weight_from', 'weight_to', 'weight_total'
        ) }} as arrived_{{ level }}_units{{ ',' if not loop.last }}
    {% endfor %}
    from split
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
        tagged_consumer_id,
        amount_units,
    {% for level in levels %}
        {{ add_doubted_units(
            'arrived_' ~ level ~ '_units', 'amount_units', level ~ '_weight', 'weight'
        ) }} as {{ level }}_units{{ ',' if not loop.last }}
    {% endfor %}
    from arrived
),

passed as (
    select * from cells
    where disposition <> 'allocated' or tagged_consumer_id is not null
),

together as (
    select * from rested
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
