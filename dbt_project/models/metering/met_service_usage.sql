select
    scenario_id,
    period_id,
    service_id,
    receiver_kind,
    receiver_id,
    unit_code,
    sum(quantity) as quantity,
    sum(peak_quantity) as peak_quantity
from {{ ref('stg_service_usage__quantities') }}
group by all
