-- Weights with a gap or below zero would lose cost between the pools and the towers, or turn its
-- sign; weights too large for their amounts cannot be multiplied.
{{ find_unsound_weights(
    ref('int_towers__weights'), ['rule_id', 'sender_id'],
    ref('int_cost_pools__cells'), ['tower_rule_id', 'cost_centre_id'],
) }}
