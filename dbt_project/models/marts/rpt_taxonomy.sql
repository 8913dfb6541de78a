-- The same cost under the names of each taxonomy, at each of the three stops that have names. What a
-- taxonomy has no name for stands under one that says so, so that all of them sum to the cost of IT.
with pools as (
    select
        cells.scenario_id,
        cells.period_id,
        cells.version,
        'cost_pool' as layer_code,
        cells.cost_pool_id as entity_id,
        cells.sub_pool_name,
        cells.disposition,
        cells.amount_units
    from {{ ref('int_cost_pools__cells') }} as cells
),

towers as (
    select
        cells.scenario_id,
        cells.period_id,
        cells.version,
        'tower' as layer_code,
        cells.tower_id as entity_id,
        cast(null as varchar) as sub_pool_name,
        cells.disposition,
        cells.amount_units
    from {{ ref('int_towers__cells') }} as cells
),

services as (
    select
        cells.scenario_id,
        cells.period_id,
        cells.version,
        'service' as layer_code,
        cells.service_id as entity_id,
        cast(null as varchar) as sub_pool_name,
        cells.disposition,
        cells.amount_units
    from {{ ref('int_services__cells') }} as cells
),

together as (
    select * from pools
    union all
    select * from towers
    union all
    select * from services
),

costs as (
    select * exclude (disposition)
    from together
    where disposition not in ('out_of_scope', 'capitalised', 'recovery')
)

select
    costs.scenario_id,
    costs.period_id,
    costs.version,
    taxonomies.taxonomy_id,
    taxonomies.taxonomy_name,
    costs.layer_code,
    coalesce(
        mappings.category_name,
        case when costs.entity_id like '(%' then costs.entity_id else '(not in this taxonomy)' end
    ) as category_name,
    coalesce(mappings.sub_category_name, sub_pools.sub_category_name) as sub_category_name,
    {{ units_to_amount('sum(costs.amount_units)') }} as amount
from costs
cross join {{ ref('stg_model__taxonomies') }} as taxonomies
left join {{ ref('stg_model__taxonomy_mappings') }} as mappings
    on taxonomies.taxonomy_id = mappings.taxonomy_id
    and costs.layer_code = mappings.layer_code
    and costs.entity_id = mappings.entity_id
-- A pool that is mapped whole is told apart by those sub-pools of its rules that TBM knows.
left join {{ ref('stg_model__taxonomy_sub_pools') }} as sub_pools
    on costs.layer_code = 'cost_pool'
    and taxonomies.taxonomy_id = sub_pools.taxonomy_id
    and mappings.category_name = sub_pools.category_name
    and costs.sub_pool_name = sub_pools.sub_category_name
group by all
