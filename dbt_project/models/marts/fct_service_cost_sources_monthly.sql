-- Delivered cost by the service at which it arrived: its own, and what other services passed on.
-- The same split of the same cells as in int_delivered_services__cells, with the origin kept.
with cells as (
    select * from {{ ref('int_services__cells') }}
    where disposition = 'allocated'
),

moved as (
    select
        cells.scenario_id,
        cells.period_id,
        cells.version,
        ranges.to_service_id as service_id,
        cells.service_id as from_service_id,
        {{ allocate_by_driver(
            'cells.amount_units', 'ranges.weight_from', 'ranges.weight_to', 'ranges.weight_total'
        ) }} as amount_units
    from cells
    inner join {{ ref('int_delivered_services__ranges') }} as ranges
        on cells.scenario_id = ranges.scenario_id
        and cells.period_id = ranges.period_id
        and cells.version = ranges.version
        and cells.service_id = ranges.from_service_id
    where cells.tagged_consumer_id is null
),

together as (
    select * from moved
    union all by name
    select
        scenario_id,
        period_id,
        version,
        service_id,
        service_id as from_service_id,
        amount_units
    from cells
    where tagged_consumer_id is not null
)

select
    together.scenario_id,
    together.period_id,
    together.version,
    together.service_id,
    together.from_service_id,
    coalesce(services.service_name, together.from_service_id) as from_service_name,
    {{ units_to_amount('sum(together.amount_units)') }} as amount
from together
left join {{ ref('dim_services') }} as services on together.from_service_id = services.service_id
group by all
