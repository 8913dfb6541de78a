-- The policy of every service in every period. A service of a detail feed has none, and is at cost.
select
    periods.period_id,
    known.service_id,
    coalesce(policies.charging_policy, 'at_cost') as charging_policy,
    policies.percent,
    policies.fixed_amount,
    policies.fixed_per
from {{ ref('int_services__known') }} as known
cross join {{ ref('stg_model__periods') }} as periods
left join {{ ref('stg_model__service_policies') }} as policies
    on known.service_id = policies.service_id
    and {{ is_valid_in_period('policies', 'periods') }}
