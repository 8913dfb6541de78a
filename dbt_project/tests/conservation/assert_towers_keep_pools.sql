-- Cost that changes its pool at the towers makes the breakdown of every service wrong.
{{ compare_amounts(ref('int_cost_pools__cells'), ref('int_towers__cells'), ['cost_pool_id']) }}
