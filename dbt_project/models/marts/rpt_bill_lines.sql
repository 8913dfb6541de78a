-- One row per consumer and service: what the statement of a business unit is made of.
with charges as (
    select * from {{ ref('fct_charges_monthly') }}
    where disposition = 'allocated'
),

periods as (
    select
        period_id,
        lag(period_id) over (order by period_id) as previous_period_id
    from {{ ref('stg_model__periods') }}
),

budget as (
    select
        period_id,
        service_id,
        cost_centre_id,
        sum(charged_amount) as budget_amount
    from {{ ref('fct_charges_monthly') }}
    where scenario_id = 'budget' and disposition = 'allocated'
    group by all
)

select
    charges.scenario_id,
    charges.period_id,
    charges.version,
    charges.charge_id,
    charges.business_unit_id,
    charges.business_unit_name,
    charges.cost_centre_id,
    charges.cost_centre_name,
    charges.legal_entity_id,
    charges.service_id,
    charges.service_name,
    charges.charging_policy,
    charges.driver_name,
    charges.driver_quality,
    charges.quantity,
    charges.unit_code,
    coalesce(charges.price_rate, charges.unit_rate) as unit_rate,
    charges.charged_amount,
    charges.cost_amount,
    charges.measured_amount,
    charges.estimated_amount,
    charges.stale_amount,
    charges.fallback_amount,
    previous.charged_amount as previous_charged_amount,
    previous.cost_amount as previous_cost_amount,
    budget.budget_amount
from charges
inner join periods on charges.period_id = periods.period_id
left join charges as previous
    on charges.scenario_id = previous.scenario_id
    and periods.previous_period_id = previous.period_id
    and charges.service_id = previous.service_id
    and charges.cost_centre_id = previous.cost_centre_id
left join budget
    on charges.scenario_id = 'actual'
    and charges.period_id = budget.period_id
    and charges.service_id = budget.service_id
    and charges.cost_centre_id = budget.cost_centre_id
