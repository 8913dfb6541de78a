-- A breakdown that gives cost to another pool, tower or service ties in total and explains it wrongly.
{% set pairs = [
    ('int_cost_pools__cells', 'fct_cost_pools_monthly', 'amount', ['cost_pool_id', 'disposition']),
    ('int_towers__cells', 'fct_towers_monthly', 'amount', ['cost_pool_id', 'tower_id', 'disposition']),
    (
        'int_services__cells', 'fct_service_cost_breakdown_monthly', 'direct_amount',
        ['service_id', 'cost_pool_id', 'tower_id'],
    ),
    (
        'int_consumers__cells', 'fct_service_cost_breakdown_monthly', 'delivered_amount',
        ['service_id', 'cost_pool_id', 'tower_id'],
    ),
    ('int_services__cells', 'fct_service_costs_monthly', 'direct_amount', ['service_id']),
    (
        'int_consumers__cells', 'fct_charge_breakdown_monthly', 'amount',
        ['service_id', 'cost_centre_id', 'cost_pool_id', 'tower_id'],
    ),
] %}
{# A mart writes 0 where only the other of its two amounts has the key. #}
{% for stop, mart, column, keys in pairs %}
select
    '{{ mart }}.{{ column }}' as mart_name,
    concat_ws(
        ' | ',
        {% for key in keys %}
        compared.{{ key }}{{ ',' if not loop.last }}
        {% endfor %}
    ) as key_value,
    compared.arrived_units,
    compared.left_units,
    compared.difference_units
from ({{ compare_amounts(ref(stop), ref(mart), keys, left_units=units_of_amount(column)) }}) as compared
where compared.arrived_units is not null or compared.left_units is distinct from 0
{{ 'union all' if not loop.last }}
{% endfor %}
