-- Money that rests on a worse driver would turn into measured money on its way to the charge line, and a
-- bill would look surer than it is.
{% set levels = ['estimated_or_worse', 'stale_or_worse', 'fallback'] %}
{% for level in levels %}
select
    '{{ level }}' as quality_level,
    'consumers' as stop_name,
    *
from ({{ compare_amounts(
    ref('int_delivered_services__cells'), ref('int_consumers__cells'), ['service_id', 'cost_pool_id', 'tower_id'],
    level ~ '_units', level ~ '_units'
) }})
union all by name
select
    '{{ level }}' as quality_level,
    'charge lines' as stop_name,
    *
from ({{ compare_amounts(
    ref('int_consumers__cells'), ref('int_charges__lines'), ['service_id', 'cost_centre_id', 'disposition'],
    level ~ '_units', level ~ '_units'
) }})
{{ 'union all by name' if not loop.last }}
{% endfor %}
