-- What one unit cost each business unit: peers within the company.
with charges as (
    select
        scenario_id,
        period_id,
        version,
        service_id,
        business_unit_id,
        business_unit_name,
        sum(quantity) as quantity,
        max(unit_code) as unit_code,
        sum(cost_amount) as cost_amount,
        sum(amount_units) as amount_units
    from {{ ref('fct_charges_monthly') }}
    where disposition = 'allocated'
    group by all
)

select
    scenario_id,
    period_id,
    version,
    service_id,
    business_unit_id,
    business_unit_name,
    quantity,
    unit_code,
    cost_amount,
    {{ unit_rate('amount_units', 'quantity') }} as unit_cost
from charges
