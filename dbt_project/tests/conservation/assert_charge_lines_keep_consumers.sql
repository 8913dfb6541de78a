-- A consumer that falls out when cells are summed to charge lines would not be billed.
{{ compare_amounts(
    ref('int_consumers__cells'), ref('int_charges__lines'), ['service_id', 'cost_centre_id', 'disposition']
) }}
