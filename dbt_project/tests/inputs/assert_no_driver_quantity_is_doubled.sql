-- A receiver that a driver names twice has twice the weight, and pays what is others' cost.
select
    scenario_id,
    period_id,
    driver_id,
    sender_id,
    receiver_kind,
    receiver_id,
    count(*) as row_count,
    sum(quantity) as quantity
from {{ ref('fct_driver_quantities') }}
group by scenario_id, period_id, driver_id, sender_id, receiver_kind, receiver_id
having count(*) > 1
