-- Money that leaves the flow between two stops is missing on every bill, and no page would show it.
{% set stops = [
    'int_ledger__lines', 'int_cost_pools__lines', 'int_cost_pools__cells', 'int_towers__cells',
    'int_services__cells', 'int_delivered_services__cells', 'int_consumers__cells', 'int_charges__lines',
] %}
{% for stop in stops %}
select
    '{{ stop }}' as stop_name,
    compared.*
from ({{ compare_amounts(ref('int_ledger__control_totals'), ref(stop), []) }}) as compared
{{ 'union all' if not loop.last }}
{% endfor %}
