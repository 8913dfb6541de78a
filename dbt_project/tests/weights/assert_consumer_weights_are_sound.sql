-- Weights with a gap or below zero would lose cost between the services and their consumers, or
-- turn its sign; weights too large for their total cannot be split by exactly.
{{ find_unsound_weights(
    ref('int_consumers__weights'), ['service_id'],
) }}
