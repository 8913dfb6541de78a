with direct as (
    select
        scenario_id,
        period_id,
        version,
        service_id,
        cost_pool_id,
        tower_id,
        sum(amount_units) as direct_units
    from {{ ref('int_services__cells') }}
    group by all
),

delivered as (
    select
        scenario_id,
        period_id,
        version,
        service_id,
        cost_pool_id,
        tower_id,
        sum(amount_units) as delivered_units
    from {{ ref('int_consumers__cells') }}
    group by all
)

select
    scenario_id,
    period_id,
    version,
    service_id,
    cost_pool_id,
    coalesce(pools.cost_pool_name, cost_pool_id) as cost_pool_name,
    tower_id,
    coalesce(concat_ws(' / ', towers.tower_name, nullif(towers.sub_tower_name, '')), tower_id) as tower_name,
    {{ units_to_amount('coalesce(direct.direct_units, 0)') }} as direct_amount,
    {{ units_to_amount('coalesce(delivered.delivered_units, 0)') }} as delivered_amount
from direct
full outer join delivered using (scenario_id, period_id, version, service_id, cost_pool_id, tower_id)
left join {{ ref('stg_model__pools') }} as pools using (cost_pool_id)
left join {{ ref('stg_model__towers') }} as towers using (tower_id)
