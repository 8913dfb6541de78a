-- Direct cost moved to the services through which it leaves IT. Lines that are tagged with their
-- consumer leave through the service they are tagged with.
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
        ) }} as amount_units
    from cells
    inner join {{ ref('int_delivered_services__ranges') }} as ranges
        on cells.scenario_id = ranges.scenario_id
        and cells.period_id = ranges.period_id
        and cells.version = ranges.version
        and cells.service_id = ranges.from_service_id
    where cells.disposition = 'allocated' and cells.tagged_consumer_id is null
),

passed as (
    select * from cells
    where disposition <> 'allocated' or tagged_consumer_id is not null
),

together as (
    select * from split
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
    sum(amount_units) as amount_units
from together
group by all
