-- Cost centres that belonged to another business unit than they do now, with what they were charged.
with charges as (
    select * from {{ ref('fct_charges_monthly') }}
    where disposition = 'allocated' and business_unit_id is distinct from business_unit_as_is_id
)

select
    charges.scenario_id,
    charges.period_id,
    charges.version,
    charges.cost_centre_id,
    max(charges.cost_centre_name) as cost_centre_name,
    charges.business_unit_id,
    max(charges.business_unit_name) as business_unit_name,
    charges.business_unit_as_is_id,
    max(charges.business_unit_as_is_name) as business_unit_as_is_name,
    max(centres.valid_from) as moved_date,
    cast(sum(charges.cost_amount) as decimal(38, 8)) as cost_amount,
    cast(sum(charges.charged_amount) as decimal(38, 8)) as charged_amount
from charges
inner join {{ ref('dim_cost_centres') }} as centres
    on charges.cost_centre_id = centres.cost_centre_id and centres.is_current
group by
    charges.scenario_id, charges.period_id, charges.version, charges.cost_centre_id, charges.business_unit_id,
    charges.business_unit_as_is_id
