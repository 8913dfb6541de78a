-- Weights with a gap or below zero would lose cost between the pools and the towers, or turn its
-- sign; weights too large for their total cannot be split by exactly.
{{ find_unsound_weights(
    ref('int_towers__weights'), ['rule_id', 'sender_id'],
) }}
