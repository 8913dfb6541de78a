-- What IT charged before, what is not IT and what is capitalised would be charged as cost if a stop
-- took it back into the flow; every total would still tie.
{% set outside = "('recovery', 'out_of_scope', 'capitalised')" %}
{% set stops = {
    'int_towers__cells': ['cost_pool_id', 'disposition'],
    'int_services__cells': ['cost_pool_id', 'disposition'],
    'int_delivered_services__cells': ['cost_pool_id', 'disposition'],
    'int_consumers__cells': ['cost_pool_id', 'disposition'],
    'int_charges__lines': ['disposition'],
} %}
{% for stop, keys in stops.items() %}
select
    '{{ stop }}' as stop_name,
    compared.disposition,
    compared.arrived_units,
    compared.left_units,
    compared.difference_units
from ({{ compare_amounts(
    '(select * from ' ~ ref('int_cost_pools__cells') ~ ' where disposition in ' ~ outside ~ ')',
    '(select * from ' ~ ref(stop) ~ ' where disposition in ' ~ outside ~ ')', keys
) }}) as compared
{{ 'union all' if not loop.last }}
{% endfor %}
