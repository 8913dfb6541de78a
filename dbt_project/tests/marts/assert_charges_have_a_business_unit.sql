-- A charge to a cost centre that belongs to no business unit in its period would be billed to nobody.
select
    scenario_id,
    period_id,
    version,
    service_id,
    cost_centre_id,
    business_unit_id,
    cost_amount
from {{ ref('fct_charges_monthly') }}
where disposition = 'allocated' and (business_unit_id like '(%' or legal_entity_id is null)
