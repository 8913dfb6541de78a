-- Only use in the unit of the service counts; use in another unit is an open item.
select
    usage.scenario_id,
    usage.period_id,
    drivers.driver_id,
    usage.service_id as sender_id,
    usage.receiver_kind,
    usage.receiver_id,
    usage.quantity,
    usage.unit_code,
    drivers.quality
from {{ ref('met_service_usage') }} as usage
inner join {{ ref('stg_model__services') }} as services
    on usage.service_id = services.service_id and usage.unit_code = services.unit_code
inner join {{ ref('stg_model__drivers') }} as drivers
    on services.driver_id = drivers.driver_id and drivers.driver_kind = 'service_usage'
