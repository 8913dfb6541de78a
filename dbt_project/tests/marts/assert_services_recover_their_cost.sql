-- A service that charges more than it should hides another that charges less; the certificate sees
-- only their sum. Each charges its cost and its recovery, at cost there is none, and showback and money
-- outside of the services are shown and never charged.
with due as (
    select
        scenario_id,
        period_id,
        version,
        service_id,
        cost_amount + recovery_amount as due_amount
    from {{ ref('fct_recovery_monthly') }}
    where cost_amount <> 0 or recovery_amount <> 0
),

charged as (
    select *
    from {{ ref('fct_charges_monthly') }}
    where disposition = 'allocated' and charging_policy <> 'showback'
),

-- A service whose charges sum to nothing has as much to show for it as one that has none.
sums as (
    select
        scenario_id,
        period_id,
        version,
        service_id,
        sum(charged_amount) as charged_amount,
        sum(cost_amount) as cost_amount
    from charged
    group by all
    having sum(charged_amount) <> 0 or sum(cost_amount) <> 0
),

unplanned as (
    select
        scenario_id,
        period_id,
        version,
        service_id,
        cost_centre_id,
        disposition,
        charged_amount
    from {{ ref('fct_charges_monthly') }}
    where
        charged_amount is distinct from case
            when disposition <> 'allocated' or charging_policy = 'showback' then 0
            when charging_policy = 'at_cost' then cost_amount
            else charged_amount
        end
)

{# The comparison is a query with CTEs of its own. #}
select
    compared.scenario_id,
    compared.period_id,
    compared.service_id,
    cast(null as varchar) as cost_centre_id,
    compared.difference_units as difference_amount
from ({{ compare_amounts(
    'due', 'sums', ['service_id'], arrived_units='due_amount', left_units='charged_amount',
) }}) as compared
union all
select
    scenario_id,
    period_id,
    service_id,
    cost_centre_id,
    charged_amount as difference_amount
from unplanned
