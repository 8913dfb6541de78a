-- A line that falls out when lines are summed to cells takes its pool's cost with it.
{{ compare_amounts(
    ref('int_cost_pools__lines'), ref('int_cost_pools__cells'), ['cost_pool_id', 'disposition', 'tower_rule_id']
) }}
