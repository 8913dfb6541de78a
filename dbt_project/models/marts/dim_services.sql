-- The policy is that of the latest period with actual figures; before there are any, of the first period.
with actual_periods as (
    select period_id from {{ ref('stg_model__period_versions') }}
    where scenario_id = 'actual'
),

now as (
    select coalesce(
        (select max(period_id) from actual_periods),
        (select min(period_id) from {{ ref('stg_model__periods') }})
    ) as period_id
)

select
    known.service_id,
    known.service_name,
    coalesce(services.category_name, 'Cloud') as category_name,
    services.description,
    services.owner_name,
    services.owner_email,
    services.business_processes,
    services.unit_code,
    services.unit_name,
    services.driver_id,
    drivers.driver_name,
    drivers.description as driver_description,
    splits.method as split_method,
    policies.charging_policy,
    coalesce(services.is_shared, false) as is_shared,
    -- What the catalogue does not say, the delivered agreements do.
    coalesce(
        services.availability_target_share, cast(agreements.availability_target_share as decimal(9, 6))
    ) as availability_target_share,
    cast(coalesce(services.response_target_minutes, agreements.response_target_minutes) as integer)
        as response_target_minutes,
    cast(coalesce(services.resolution_target_minutes, agreements.resolution_target_minutes) as integer)
        as resolution_target_minutes,
    coalesce(
        services.sla_attainment_target_share, cast(agreements.attainment_target_share as decimal(9, 6))
    ) as sla_attainment_target_share,
    services.how_to_order,
    services.how_to_use_less
from {{ ref('int_services__known') }} as known
cross join now
inner join {{ ref('int_charges__policies') }} as policies
    on now.period_id = policies.period_id and known.service_id = policies.service_id
left join {{ ref('stg_model__services') }} as services on known.service_id = services.service_id
left join {{ ref('int_service_quality__agreements') }} as agreements on known.service_id = agreements.service_id
left join {{ ref('stg_model__drivers') }} as drivers on services.driver_id = drivers.driver_id
left join {{ ref('stg_model__split_parts') }} as splits
    on splits.stop_code = 'consumers'
    and splits.part_code <> 'residual'
    and known.service_id = splits.rule_id
