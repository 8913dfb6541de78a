-- How the cost of a service finds its consumers, and how well that is measured. Use by the service
-- itself does not count, and use that the method of shared services forbids is not there.
{% set qualities = ['measured', 'estimated', 'stale', 'fallback'] %}
with use as (
    select
        scenario_id,
        period_id,
        version,
        service_id,
        sum(quantity) filter (receiver_kind in ('consumer', 'unmapped')) as consumer_quantity,
        sum(quantity) filter (receiver_kind = 'service') as service_quantity,
        cast(count(*) filter (receiver_kind in ('consumer', 'unmapped')) as integer) as consumer_count,
        max(unit_code) as unit_code,
        not bool_or(receiver_kind in ('consumer', 'service', 'unmapped')) as is_held,
        max(list_position({{ qualities }}, driver_quality)) as quality_rank
    from {{ ref('int_delivered_services__use') }}
    where receiver_kind <> 'service' or receiver_id <> service_id
    group by all
),

tagged as (
    select distinct
        scenario_id,
        period_id,
        version,
        service_id
    from {{ ref('int_services__cells') }}
    where disposition = 'allocated' and tagged_consumer_id is not null
)

select
    use.scenario_id,
    use.period_id,
    use.version,
    use.service_id,
    case when services.driver_id is not null then 'driver' end as split_method,
    services.driver_id,
    drivers.driver_name,
    drivers.driver_kind,
    drivers.description as driver_description,
    services.fallback,
    coalesce(use.unit_code, services.unit_code) as unit_code,
    case when use.is_held then 'held' else {{ qualities }}[use.quality_rank] end as quality_code,
    use.consumer_quantity,
    use.service_quantity,
    use.consumer_count,
    max(case when use.quality_rank < 3 and not use.is_held then use.period_id end) over (
        partition by use.scenario_id, use.service_id order by use.period_id
        range between unbounded preceding and current row
    ) as last_counted_period_id,
    tagged.service_id is not null as has_named_consumers
from use
left join {{ ref('stg_model__services') }} as services on use.service_id = services.service_id
left join {{ ref('stg_model__drivers') }} as drivers on services.driver_id = drivers.driver_id
left join tagged
    on use.scenario_id = tagged.scenario_id
    and use.period_id = tagged.period_id
    and use.version = tagged.version
    and use.service_id = tagged.service_id
