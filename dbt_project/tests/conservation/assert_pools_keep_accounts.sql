-- Cost that changes its account or currency on the way to the pools ties in total and is wrong for
-- everyone who reconciles an account.
{% for stop in ['int_ledger__lines', 'int_cost_pools__lines'] %}
select
    '{{ stop }}' as stop_name,
    compared.*
from ({{ compare_amounts(
    ref('int_ledger__control_totals'), ref(stop), ['account_id', 'currency_code']
) }}) as compared
{{ 'union all' if not loop.last }}
{% endfor %}
