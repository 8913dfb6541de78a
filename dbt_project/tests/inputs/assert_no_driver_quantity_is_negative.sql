-- A negative quantity is left out when cost is split, so its receiver would pay nothing and the
-- others too much.
select
    scenario_id,
    period_id,
    driver_id,
    sender_id,
    receiver_kind,
    receiver_id,
    quantity,
    unit_code
from {{ ref('fct_driver_quantities') }}
where quantity < 0
