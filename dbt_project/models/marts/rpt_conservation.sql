-- At every stop what leaves equals what arrived. The first stop is compared with the deliveries.
{% set stops = [
    ('ledger', 'int_ledger__lines'),
    ('cost pools', 'int_cost_pools__cells'),
    ('towers', 'int_towers__cells'),
    ('services', 'int_services__cells'),
    ('delivered services', 'int_delivered_services__cells'),
    ('consumers', 'int_consumers__cells'),
    ('charge lines', 'int_charges__lines'),
] %}
with sums as (
    select
        0 as stop_order,
        'deliveries' as stop_name,
        scenario_id,
        period_id,
        version,
        sum(amount_units) as amount_units
    from {{ ref('int_ledger__control_totals') }}
    group by all
    {% for name, model in stops %}
    union all
    select
        {{ loop.index }} as stop_order,
        '{{ name }}' as stop_name,
        scenario_id,
        period_id,
        version,
        sum(amount_units) as amount_units
    from {{ ref(model) }}
    group by all
    {% endfor %}
),

periods as (
    select distinct
        scenario_id,
        period_id,
        version
    from sums
),

stops as (
    select distinct
        stop_order,
        stop_name
    from sums
),

wanted as (
    select
        periods.scenario_id,
        periods.period_id,
        periods.version,
        stops.stop_order,
        stops.stop_name
    from periods
    cross join stops
),

compared as (
    select
        wanted.*,
        coalesce(sums.amount_units, 0) as left_units,
        lag(coalesce(sums.amount_units, 0)) over (
            partition by wanted.scenario_id, wanted.period_id, wanted.version
            order by wanted.stop_order
        ) as arrived_units
    from wanted
    left join sums using (scenario_id, period_id, version, stop_order, stop_name)
)

select
    scenario_id,
    period_id,
    version,
    stop_order,
    stop_name,
    {{ units_to_amount('arrived_units') }} as arrived_amount,
    {{ units_to_amount('left_units') }} as left_amount,
    {{ units_to_amount('left_units - arrived_units') }} as difference_amount
from compared
where stop_order > 0
