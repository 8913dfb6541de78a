-- A join to master data that finds two rows doubles a charge, on both sides of the certificate. A line
-- that has a price and no cost is no line of cost.
{{ compare_amounts(
    '(select * from ' ~ ref('int_charges__lines') ~ ' where amount_units <> 0)',
    '(select * from ' ~ ref('fct_charges_monthly') ~ ' where amount_units <> 0)',
    ['service_id', 'cost_centre_id', 'disposition']
) }}
