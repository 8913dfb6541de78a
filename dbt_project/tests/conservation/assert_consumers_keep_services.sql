-- A service whose receivers do not take all of its cost would be charged below its cost.
{{ compare_amounts(
    ref('int_delivered_services__cells'), ref('int_consumers__cells'), ['service_id', 'cost_pool_id', 'tower_id']
) }}
