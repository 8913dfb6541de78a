-- The money that stands in the pools, by what the tower rules can see.
select
    scenario_id,
    period_id,
    version,
    disposition,
    cost_pool_id,
    sub_pool_name,
    cost_behaviour,
    cost_centre_id,
    tower_rule_id,
    tagged_service_id,
    tagged_consumer_id,
    sum(amount_units) as amount_units
from {{ ref('int_cost_pools__lines') }}
group by all
