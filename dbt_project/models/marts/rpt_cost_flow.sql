-- The flow of the money between neighbouring stops, for the picture.
with consumers as (
    select
        breakdown.*,
        coalesce(towers.tower_name, breakdown.tower_id) as main_tower_name,
        services.service_name,
        charges.business_unit_name
    from {{ ref('fct_charge_breakdown_monthly') }} as breakdown
    left join {{ ref('stg_model__towers') }} as towers on breakdown.tower_id = towers.tower_id
    inner join {{ ref('fct_charges_monthly') }} as charges
        on breakdown.scenario_id = charges.scenario_id
        and breakdown.period_id = charges.period_id
        and breakdown.version = charges.version
        and breakdown.service_id = charges.service_id
        and breakdown.cost_centre_id = charges.cost_centre_id
        and breakdown.business_unit_id = charges.business_unit_id
    left join {{ ref('int_services__known') }} as services on breakdown.service_id = services.service_id
)

select
    scenario_id,
    period_id,
    version,
    'cost_pool' as from_stop,
    cost_pool_id as from_id,
    cost_pool_name as from_name,
    'tower' as to_stop,
    main_tower_name as to_id,
    main_tower_name as to_name,
    sum(amount) as amount
from consumers
group by all
union all
select
    scenario_id,
    period_id,
    version,
    'tower' as from_stop,
    main_tower_name as from_id,
    main_tower_name as from_name,
    'service' as to_stop,
    service_id as to_id,
    coalesce(service_name, service_id) as to_name,
    sum(amount) as amount
from consumers
group by all
union all
select
    scenario_id,
    period_id,
    version,
    'service' as from_stop,
    service_id as from_id,
    coalesce(service_name, service_id) as from_name,
    'business_unit' as to_stop,
    business_unit_id as to_id,
    business_unit_name as to_name,
    sum(amount) as amount
from consumers
group by all
