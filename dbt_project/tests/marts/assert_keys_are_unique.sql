-- A key that occurs twice is counted twice by every page and export that joins on it.
{% set keys = {
    'int_ledger__lines': ['scenario_id', 'period_id', 'version', 'ledger_line_id'],
    'fct_ledger_lines': ['scenario_id', 'period_id', 'version', 'ledger_line_id'],
    'dim_cost_centres': ['cost_centre_id', 'valid_from'],
    'dim_business_units': ['business_unit_id'],
    'dim_periods': ['period_id'],
    'dim_services': ['service_id'],
    'dim_service_offerings': ['service_id', 'offering_id'],
    'fct_cost_pools_monthly': [
        'scenario_id', 'period_id', 'version', 'cost_pool_id', 'sub_pool_name', 'cost_behaviour', 'disposition',
    ],
    'fct_towers_monthly': ['scenario_id', 'period_id', 'version', 'tower_id', 'cost_pool_id', 'disposition'],
    'fct_service_costs_monthly': ['scenario_id', 'period_id', 'version', 'service_id'],
    'fct_service_cost_sources_monthly': ['scenario_id', 'period_id', 'version', 'service_id', 'from_service_id'],
    'fct_service_rules_monthly': ['scenario_id', 'period_id', 'version', 'service_id', 'stop_code', 'rule_id'],
    'fct_service_methods_monthly': ['scenario_id', 'period_id', 'version', 'service_id'],
    'fct_service_cost_breakdown_monthly': [
        'scenario_id', 'period_id', 'version', 'service_id', 'cost_pool_id', 'tower_id',
    ],
    'fct_service_quality_monthly': ['scenario_id', 'period_id', 'version', 'service_id'],
    'fct_service_capacity_monthly': ['scenario_id', 'period_id', 'version', 'service_id'],
    'fct_charges_monthly': ['charge_id'],
    'fct_prices_monthly': ['scenario_id', 'period_id', 'version', 'service_id', 'tier_number'],
    'fct_recovery_monthly': ['scenario_id', 'period_id', 'version', 'service_id'],
    'int_charges__prices': ['scenario_id', 'period_id', 'version', 'service_id', 'cost_centre_id'],
    'fct_bill_items_monthly': ['bill_item_id'],
    'fct_charge_breakdown_monthly': [
        'scenario_id', 'period_id', 'version', 'service_id', 'cost_centre_id', 'business_unit_id', 'cost_pool_id',
        'tower_id',
    ],
    'fct_unit_costs_monthly': ['scenario_id', 'period_id', 'version', 'service_id', 'business_unit_id'],
    'rpt_bill_lines': ['charge_id'],
    'rpt_corrections': ['scenario_id', 'period_id', 'origin_period_id'],
    'rpt_certificate': ['scenario_id', 'period_id', 'version', 'identity_id', 'term_id'],
    'rpt_delivered_currencies': ['scenario_id', 'period_id', 'version', 'currency_code'],
    'rpt_conservation': ['scenario_id', 'period_id', 'version', 'stop_order'],
    'rpt_cost_flow': ['scenario_id', 'period_id', 'version', 'from_stop', 'from_id', 'to_id'],
    'rpt_fairness': ['scenario_id', 'period_id', 'version', 'service_id', 'consumer_kind', 'consumer_id'],
    'rpt_tag_coverage': ['scenario_id', 'period_id', 'version', 'source_id', 'target_kind', 'mapping_method'],
    'rpt_tag_drift': ['scenario_id', 'period_id', 'version', 'drift_kind', 'tag_key', 'found_text'],
    'rpt_taxonomy': [
        'scenario_id', 'period_id', 'version', 'taxonomy_id', 'layer_code', 'category_name', 'sub_category_name',
    ],
    'rpt_unmapped_keys': [
        'scenario_id', 'period_id', 'version', 'source_id', 'target_kind', 'key_kind', 'key_name', 'key_value',
    ],
    'fct_depreciation_monthly': ['scenario_id', 'period_id', 'source_id', 'asset_id'],
    'rpt_detail_feeds': [
        'scenario_id', 'period_id', 'version', 'source_id', 'legal_entity_id', 'account_id', 'cost_centre_id',
        'currency_code',
    ],
    'rpt_moved_cost_centres': ['scenario_id', 'period_id', 'version', 'cost_centre_id'],
    'rpt_reorganisation': ['scenario_id', 'period_id', 'version', 'business_unit_id'],
    'rpt_measure_next': ['scenario_id', 'period_id', 'version', 'measure_rank'],
    'rpt_year_outlook': ['fiscal_year', 'service_id'],
} %}
{% for model, columns in keys.items() %}
select
    '{{ model }}' as model_name,
    concat_ws(' | ', {{ columns | join(', ') }}) as key_value,
    count(*) as row_count
from {{ ref(model) }}
group by {{ columns | join(', ') }}
having count(*) > 1
{{ 'union all' if not loop.last }}
{% endfor %}
