select
    cells.scenario_id,
    cells.period_id,
    cells.version,
    cells.tower_id,
    coalesce(towers.tower_name, cells.tower_id) as tower_name,
    towers.sub_tower_name,
    cells.cost_pool_id,
    cells.disposition,
    {{ units_to_amount('sum(cells.amount_units)') }} as amount
from {{ ref('int_towers__cells') }} as cells
left join {{ ref('stg_model__towers') }} as towers on cells.tower_id = towers.tower_id
group by all
