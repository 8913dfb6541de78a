-- The one mart that holds account and pool joins both halves of the proof; a line that changes its
-- pool or its disposition in it ties by account and explains the wrong pool.
{{ compare_amounts(
    ref('int_cost_pools__lines'), ref('fct_ledger_lines'),
    ['account_id', 'currency_code', 'cost_pool_id', 'disposition'],
) }}
