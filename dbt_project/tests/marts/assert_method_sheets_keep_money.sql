-- Money whose cost behaviour or rule is lost on the way would pass for variable in the comparison of
-- bills, and its rule for one that does not matter. Per tower and pool, over all services.
with towers as (
    {{ compare_amounts(
        "(select * from " ~ ref('int_towers__cells') ~ " where disposition = 'allocated')",
        ref('int_method_sheets__tower_money'),
        ['cost_pool_id', 'tower_id', 'tagged_service_id', 'tagged_consumer_id']
    ) }}
),

services as (
    {{ compare_amounts(
        "(select * from " ~ ref('int_services__cells') ~ " where tower_id not like '(%')",
        ref('int_method_sheets__service_money'),
        ['cost_pool_id', 'tower_id', 'tagged_consumer_id']
    ) }}
)

{% for stop in ['towers', 'services'] %}
select
    '{{ stop }}' as stop_code,
    scenario_id,
    period_id,
    cost_pool_id,
    tower_id,
    arrived_units,
    left_units,
    difference_units
from {{ stop }}
{{ 'union all' if not loop.last }}
{% endfor %}
