-- What the charges of a period put on its bills; showback is shown elsewhere and billed nowhere. A
-- restated charge is no bill: what it changes is posted as a note.
select
    scenario_id,
    period_id,
    version,
    charge_id as bill_item_id,
    'charge' as item_kind,
    service_id,
    cost_centre_id,
    period_id as origin_period_id,
    version as origin_version,
    charge_id as origin_charge_id,
    cast(null as varchar) as reference_id,
    cast(null as varchar) as reason,
    charged_amount as amount
from {{ ref('fct_charges_monthly') }}
where disposition = 'allocated' and charging_policy <> 'showback' and scenario_id <> 'restated'
