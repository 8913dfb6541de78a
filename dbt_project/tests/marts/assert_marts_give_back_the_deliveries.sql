-- A page that reads a mart with a row too few or too many shows a total that is not the ledger's.
{% set exact = [
    ('fct_ledger_lines', 'amount', 'true'),
    ('fct_cost_pools_monthly', 'amount', 'true'),
    ('fct_towers_monthly', 'amount', 'true'),
    ('fct_service_costs_monthly', 'direct_amount', 'true'),
    ('fct_service_cost_breakdown_monthly', 'direct_amount', 'true'),
    ('fct_service_cost_breakdown_monthly', 'delivered_amount', 'true'),
    ('fct_charge_breakdown_monthly', 'amount', 'true'),
    ('rpt_cost_flow', 'amount', "from_stop = 'cost_pool'"),
    ('rpt_cost_flow', 'amount', "from_stop = 'tower'"),
    ('rpt_cost_flow', 'amount', "from_stop = 'service'"),
] %}
{% set cents = [
    ('fct_service_costs_monthly', 'delivered_amount'),
    ('fct_charges_monthly', 'cost_amount'),
] %}
with control as (
    select
        scenario_id,
        period_id,
        version,
        {{ units_to_amount('sum(amount_units)') }} as amount,
        {{ cents_to_amount(divide_integers('sum(amount_units)', 1000000)) }} as cents_amount
    from {{ ref('int_ledger__control_totals') }}
    group by scenario_id, period_id, version
),

compared as (
    {% for mart, column, condition in exact %}
    select
        '{{ mart }}.{{ column }} where {{ condition | replace("'", "''") }}' as mart_name,
        compared.*
    from ({{ compare_amounts(
        'control', '(select * from ' ~ ref(mart) ~ ' where ' ~ condition ~ ')', [],
        arrived_units='amount', left_units=column,
    ) }}) as compared
    union all
    {% endfor %}
    {% for mart, column in cents %}
    select
        '{{ mart }}.{{ column }}' as mart_name,
        compared.*
    from ({{ compare_amounts(
        'control', ref(mart), [], arrived_units='cents_amount', left_units=column,
    ) }}) as compared
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select * from compared
