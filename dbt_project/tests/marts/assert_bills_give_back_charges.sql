-- A charge that no bill shows is never collected; one that two bills show is collected twice.
{{ compare_amounts(
    '(select * from ' ~ ref('fct_charges_monthly') ~ " where disposition = 'allocated')",
    ref('rpt_bill_lines'), ['business_unit_id', 'service_id', 'cost_centre_id'],
    arrived_units='charged_amount', left_units='charged_amount',
) }}
