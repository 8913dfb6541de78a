select
    seats.scenario_id,
    seats.period_id,
    drivers.driver_id,
    seats.service_id as sender_id,
    'consumer' as receiver_kind,
    seats.cost_centre_id as receiver_id,
    sum(seats.seats_quantity) as quantity,
    drivers.unit_code,
    drivers.quality
from {{ ref('stg_licences__seats') }} as seats
inner join {{ ref('stg_model__drivers') }} as drivers on drivers.driver_kind = 'licence_seats'
group by all
