-- A method sheet that loses a source of its cost would tell consumers that they pay for less.
{{ compare_amounts(
    "(select * from " ~ ref('int_delivered_services__cells') ~ " where disposition = 'allocated')",
    "(select *, " ~ units_of_amount('amount') ~ " as amount_units from " ~ ref('fct_service_cost_sources_monthly') ~ ")",
    ['service_id']
) }}
