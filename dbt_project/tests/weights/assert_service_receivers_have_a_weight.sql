-- Use of a receiver whose weight nobody declared would count as none, and the others would pay for it.
select
    rule_id,
    sender_id,
    scenario_id,
    period_id,
    driver_id,
    receiver_kind,
    receiver_id,
    quantity,
    'Name it in weights, or declare a default_weight' as what_to_do
from {{ ref('int_services__weights') }}
where weight is null
