{% set drivers = [
    'drv_service_usage', 'drv_licence_seats', 'drv_headcount', 'drv_tickets', 'drv_timesheet_hours',
    'drv_asset_capacity', 'drv_cloud_cost', 'drv_typed_in',
] %}
{% for driver in drivers %}
select
    scenario_id,
    period_id,
    driver_id,
    sender_id,
    receiver_kind,
    receiver_id,
    cast(quantity as decimal(38, 12)) as quantity,
    unit_code,
    quality
from {{ ref(driver) }}
{% if not loop.last %}union all{% endif %}
{% endfor %}
