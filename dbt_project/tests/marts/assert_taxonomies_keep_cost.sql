-- A pool, tower or service under two names of a taxonomy would count twice, one under none not at all;
-- a reader of the second taxonomy would see another cost of IT than a reader of the first.
{% set arrived %}(
    select
        cells.scenario_id,
        cells.period_id,
        cells.version,
        taxonomies.taxonomy_id,
        layers.layer_code,
        {{ units_to_amount('cells.amount_units') }} as amount
    from {{ ref('int_cost_pools__cells') }} as cells
    cross join {{ ref('stg_model__taxonomies') }} as taxonomies
    cross join (values ('cost_pool'), ('tower'), ('service')) as layers (layer_code)
    where cells.disposition not in ('out_of_scope', 'capitalised', 'recovery')
){% endset %}
{{ compare_amounts(arrived, ref('rpt_taxonomy'), ['taxonomy_id', 'layer_code'], 'amount', 'amount') }}
