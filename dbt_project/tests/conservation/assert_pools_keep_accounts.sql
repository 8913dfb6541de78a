-- Cost that changes its account or currency on the way to the pools ties in total and is wrong for
-- everyone who reconciles an account.
{{ compare_amounts(
    ref('int_ledger__control_totals'), ref('int_cost_pools__lines'), ['account_id', 'currency_code']
) }}
