select
    cells.scenario_id,
    cells.period_id,
    cells.version,
    cells.cost_pool_id,
    coalesce(pools.cost_pool_name, cells.cost_pool_id) as cost_pool_name,
    cells.sub_pool_name,
    cells.cost_behaviour,
    cells.disposition,
    {{ units_to_amount('sum(cells.amount_units)') }} as amount
from {{ ref('int_cost_pools__cells') }} as cells
left join {{ ref('stg_model__pools') }} as pools on cells.cost_pool_id = pools.cost_pool_id
group by all
