-- A tower without a receiving service would lose its cost, or leave it with another tower.
{{ compare_amounts(ref('int_towers__cells'), ref('int_services__cells'), ['cost_pool_id', 'tower_id']) }}
