-- Pool money in its towers with the rule that brought it and its cost behaviour: what
-- int_towers__cells has, by the same split of the same cells, before it is summed.
select
    cells.scenario_id,
    cells.period_id,
    cells.version,
    cells.cost_behaviour,
    cells.cost_pool_id,
    weights.receiver_id as tower_id,
    cells.tower_rule_id,
    cells.tagged_service_id,
    cells.tagged_consumer_id,
    sum({{ allocate_by_driver(
        'cells.amount_units', 'weights.weight_from', 'weights.weight_to', 'weights.weight_total'
    ) }}) as amount_units
from {{ ref('int_cost_pools__cells') }} as cells
inner join {{ ref('int_towers__weights') }} as weights
    on cells.scenario_id = weights.scenario_id
    and cells.period_id = weights.period_id
    and cells.version = weights.version
    and cells.tower_rule_id = weights.rule_id
    and cells.cost_centre_id = weights.sender_id
where cells.disposition = 'allocated' and weights.receiver_disposition = 'allocated'
group by all
