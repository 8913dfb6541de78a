-- The quantity of every service and receiver outside IT: that which its cost is split by. Use of zero
-- or below bears no cost and is not among the weights; where a price is charged, it has its price all
-- the same: a base fee, or a credit.
with split as (
    select
        scenario_id,
        period_id,
        version,
        service_id,
        receiver_id,
        receiver_disposition,
        max(driver_id) as driver_id,
        arg_max(driver_quality, {{ quality_rank('driver_quality') }}) as driver_quality,
        sum(quantity) as quantity,
        max(unit_code) as unit_code,
        sum(weight) as weight
    from {{ ref('int_consumers__weights') }}
    group by all
),

delivered as (
    select
        versions.scenario_id,
        versions.period_id,
        versions.version,
        policies.service_id,
        quantities.receiver_id,
        max(quantities.driver_id) as driver_id,
        arg_max(quantities.quality, {{ quality_rank('quantities.quality') }}) as driver_quality,
        sum(quantities.quantity) as quantity,
        max(quantities.unit_code) as unit_code
    from {{ ref('int_charges__policies') }} as policies
    inner join {{ ref('stg_model__services') }} as services on policies.service_id = services.service_id
    inner join {{ ref('fct_driver_quantities') }} as quantities
        on quantities.receiver_kind = 'consumer'
        and policies.period_id = quantities.period_id
        and policies.service_id = quantities.sender_id
        and services.driver_id = quantities.driver_id
    inner join {{ ref('stg_model__period_versions') }} as versions
        on quantities.scenario_id = versions.scenario_id and quantities.period_id = versions.period_id
    inner join {{ ref('int_consumers__known') }} as centres
        on quantities.receiver_id = centres.cost_centre_id and quantities.period_id = centres.period_id
    where policies.charging_policy in ('rate', 'market', 'fixed')
    group by all
    having sum(quantities.quantity) <= 0
)

select * from split
union all
select
    delivered.scenario_id,
    delivered.period_id,
    delivered.version,
    delivered.service_id,
    delivered.receiver_id,
    'allocated' as receiver_disposition,
    delivered.driver_id,
    delivered.driver_quality,
    delivered.quantity,
    delivered.unit_code,
    cast(0 as hugeint) as weight
from delivered
anti join split
    on delivered.scenario_id = split.scenario_id
    and delivered.period_id = split.period_id
    and delivered.version = split.version
    and delivered.service_id = split.service_id
    and delivered.receiver_id = split.receiver_id
