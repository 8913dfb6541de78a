-- Use of a receiver whose weight nobody declared would count as none, and the others would pay for it.
select
    service_id,
    scenario_id,
    period_id,
    driver_id,
    receiver_kind,
    receiver_id,
    quantity,
    'Name it in weights, or declare a default_weight' as what_to_do
from {{ ref('int_delivered_services__use') }}
where weight is null
