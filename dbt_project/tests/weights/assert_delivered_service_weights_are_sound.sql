-- Solved weights that do not sum to 10^15 would lose cost of shared services, or make some up.
{{ find_unsound_weights(
    ref('int_delivered_services__ranges'), ['from_service_id'],
    expected_total='1000000000000000',
) }}
