select
    scenario_id,
    period_id,
    version,
    from_service_id,
    to_service_id,
    cast(delivered_weight as hugeint) as weight,
    {{ weight_ranges(
        'cast(delivered_weight as hugeint)', 'scenario_id, period_id, version, from_service_id', 'to_service_id'
    ) }}
from {{ ref('int_delivered_services__weights') }}
where delivered_weight > 0
