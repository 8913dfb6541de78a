-- A join to master data that finds two rows doubles a charge, on both sides of the certificate.
{{ compare_amounts(
    ref('int_charges__lines'), ref('fct_charges_monthly'), ['service_id', 'cost_centre_id', 'disposition']
) }}
