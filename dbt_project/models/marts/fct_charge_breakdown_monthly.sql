select
    cells.scenario_id,
    cells.period_id,
    cells.version,
    cells.service_id,
    cells.cost_centre_id,
    charges.business_unit_id,
    cells.cost_pool_id,
    coalesce(pools.cost_pool_name, cells.cost_pool_id) as cost_pool_name,
    cells.tower_id,
    coalesce(concat_ws(' / ', towers.tower_name, nullif(towers.sub_tower_name, '')), cells.tower_id) as tower_name,
    {{ units_to_amount('cells.amount_units') }} as amount
from {{ ref('int_consumers__cells') }} as cells
inner join {{ ref('fct_charges_monthly') }} as charges
    on cells.scenario_id = charges.scenario_id
    and cells.period_id = charges.period_id
    and cells.version = charges.version
    and cells.service_id = charges.service_id
    and cells.cost_centre_id = charges.cost_centre_id
    and cells.disposition = charges.disposition
left join {{ ref('stg_model__pools') }} as pools on cells.cost_pool_id = pools.cost_pool_id
left join {{ ref('stg_model__towers') }} as towers on cells.tower_id = towers.tower_id
