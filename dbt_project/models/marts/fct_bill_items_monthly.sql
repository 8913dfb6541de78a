-- Every item of every bill, one row each: charges, and what is billed besides them. Statements, journal
-- and exports are made of these rows, and sum to them.
{% set kinds = ['charges', 'corrections', 'adjustments', 'transfers', 'true_ups'] %}
with items as (
    {% for kind in kinds %}
    select * from {{ ref('int_bills__' ~ kind) }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select
    items.scenario_id,
    items.period_id,
    items.version,
    items.bill_item_id,
    items.item_kind,
    items.service_id,
    coalesce(services.service_name, items.service_id) as service_name,
    items.cost_centre_id,
    coalesce(centres.cost_centre_name, origins.cost_centre_name, items.cost_centre_id) as cost_centre_name,
    coalesce(centres.business_unit_id, origins.business_unit_id, '(allocated)') as business_unit_id,
    coalesce(centres.business_unit_name, origins.business_unit_name, '(allocated)') as business_unit_name,
    coalesce(centres.legal_entity_id, origins.legal_entity_id) as legal_entity_id,
    items.origin_period_id,
    items.origin_version,
    items.origin_charge_id,
    items.reference_id,
    items.reason,
    cast(items.amount as decimal(28, 2)) as amount
from items
left join {{ ref('dim_services') }} as services on items.service_id = services.service_id
left join {{ ref('int_consumers__cost_centres') }} as centres
    on items.period_id = centres.period_id
    and items.cost_centre_id = centres.cost_centre_id
-- What is credited to a cost centre that is gone goes to the business unit that it was charged in.
left join {{ ref('int_consumers__cost_centres') }} as origins
    on items.origin_period_id = origins.period_id
    and items.cost_centre_id = origins.cost_centre_id
