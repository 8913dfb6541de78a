select
    heads.scenario_id,
    heads.period_id,
    drivers.driver_id,
    cast(null as varchar) as sender_id,
    'consumer' as receiver_kind,
    heads.cost_centre_id as receiver_id,
    sum(heads.headcount_quantity) as quantity,
    drivers.unit_code,
    drivers.quality
from {{ ref('stg_headcount__heads') }} as heads
inner join {{ ref('stg_model__drivers') }} as drivers on drivers.driver_kind = 'headcount'
group by all
