-- A posting that a detail feed replaces without its balancing line, or that a join doubles, is a
-- wrong amount in its own currency before anything is converted.
{{ compare_amounts(
    ref('int_ledger__control_totals'), ref('int_ledger__lines'), ['account_id', 'currency_code'],
    arrived_units='amount_local', left_units='amount_local',
) }}
