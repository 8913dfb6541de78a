-- What a service that splits by capacity could have delivered and nobody used: a receiver beside its
-- users. No row where its use or its practical capacity is not known, so that its fallback applies;
-- use that was delivered as zero is known, and leaves all of the capacity idle.
with services as (
    select
        rule_id as service_id,
        driver_id,
        negative
    from {{ ref('stg_model__split_parts') }}
    where stop_code = 'consumers' and method = 'capacity'
),

used as (
    select
        delivered.scenario_id,
        delivered.period_id,
        delivered.driver_id,
        services.service_id,
        delivered.unit_code,
        max(delivered.quality) as quality,
        sum(
            case services.negative
                when 'absolute' then abs(delivered.quantity)
                else greatest(delivered.quantity, 0)
            end
        ) as used_quantity
    from {{ ref('int_drivers__delivered') }} as delivered
    inner join services
        on delivered.driver_id = services.driver_id and delivered.sender_id = services.service_id
    group by all
),

delivered_capacities as (
    select
        scenario_id,
        period_id,
        pool_id as service_id,
        unit_code,
        sum(practical_quantity) as practical_quantity
    from {{ ref('stg_practical_capacity__capacities') }}
    where pool_kind = 'service'
    group by all
),

-- A budget that plans use and no capacity has that of the actual period; what is restated has its own.
capacities as (
    select
        used.*,
        coalesce(own.practical_quantity, actual.practical_quantity) as practical_quantity
    from used
    left join delivered_capacities as own
        on used.scenario_id = own.scenario_id
        and used.period_id = own.period_id
        and used.service_id = own.service_id
        and used.unit_code = own.unit_code
    left join delivered_capacities as actual
        on actual.scenario_id = 'actual'
        and used.scenario_id <> 'restated'
        and used.period_id = actual.period_id
        and used.service_id = actual.service_id
        and used.unit_code = actual.unit_code
)

select
    scenario_id,
    period_id,
    driver_id,
    service_id as sender_id,
    'idle' as receiver_kind,
    '(idle)' as receiver_id,
    greatest(practical_quantity - used_quantity, 0) as quantity,
    unit_code,
    quality,
    used_quantity,
    practical_quantity
from capacities
where practical_quantity is not null
