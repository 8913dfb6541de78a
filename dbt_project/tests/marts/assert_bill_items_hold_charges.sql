-- What is charged is billed as it is; what is billed besides has an item of its own.
{{ compare_amounts(
    '(select * from ' ~ ref('fct_charges_monthly') ~ " where disposition = 'allocated' and charging_policy <> 'showback' and scenario_id <> 'restated')",
    '(select * from ' ~ ref('fct_bill_items_monthly') ~ " where item_kind = 'charge')",
    ['business_unit_id', 'service_id', 'cost_centre_id'],
    arrived_units='charged_amount', left_units='amount',
) }}
