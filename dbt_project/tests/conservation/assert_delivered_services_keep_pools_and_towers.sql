-- A service that the solver does not know would lose its cost between direct and delivered.
{{ compare_amounts(
    ref('int_services__cells'), ref('int_delivered_services__cells'), ['cost_pool_id', 'tower_id', 'disposition']
) }}
