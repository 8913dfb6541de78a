-- A consumer that a price is due from and that no charge has is a gift; a charge beside its price is a
-- bill that nobody can work out.
{{ compare_amounts(
    '(select *, charged_cents * (select amount_per_cent from ' ~ ref('stg_model__settings') ~ ') as price_amount from '
    ~ ref('int_charges__prices') ~ ')',
    '(select * from ' ~ ref('fct_charges_monthly') ~ " where disposition = 'allocated' and charging_policy not in ('at_cost', 'showback'))",
    ['service_id', 'cost_centre_id'],
    arrived_units='price_amount', left_units='charged_amount',
) }}
