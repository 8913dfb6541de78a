-- A credit that was granted and stands on no bill is money that a business unit was promised and never gets.
{{ compare_amounts(
    '(select adjustments.*, versions.version, adjustments.dispute_id as bill_item_id from '
    ~ ref('stg_model__adjustments') ~ ' as adjustments inner join ' ~ ref('stg_model__period_versions')
    ~ ' as versions using (scenario_id, period_id))',
    '(select * from ' ~ ref('fct_bill_items_monthly')
    ~ " where item_kind in ('adjustment', 'service_credit'))",
    ['bill_item_id', 'service_id', 'cost_centre_id'],
    arrived_units='amount', left_units='amount',
) }}
