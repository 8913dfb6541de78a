-- Weights with a gap or below zero would lose cost between the towers and the services, or turn its
-- sign; weights too large for their total cannot be split by exactly.
{{ find_unsound_weights(
    ref('int_services__weights'), ['rule_id', 'sender_id'],
) }}
