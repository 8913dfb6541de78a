-- Weights with a gap or below zero would lose cost between the towers and the services, or turn its
-- sign; weights too large for their amounts cannot be multiplied.
{{ find_unsound_weights(
    '(select *, sender_id as tower_id from ' ~ ref('int_services__weights') ~ ')', ['tower_id', 'rule_id'],
    '(select cells.*, rules.rule_id from ' ~ ref('int_towers__cells') ~ ' as cells inner join '
    ~ ref('int_services__rule_matches') ~ ' as rules using (scenario_id, period_id, tower_id, cost_pool_id))',
    ['tower_id', 'rule_id'],
) }}
