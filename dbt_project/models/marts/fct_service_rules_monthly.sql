-- Which rules brought a service its direct cost. Each amount stands once per stop: tower rules and
-- service rules each sum to the direct cost (but for engine units), so stops are never added.
with money as (
    select
        scenario_id,
        period_id,
        version,
        service_id,
        'towers' as stop_code,
        tower_rule_id as rule_id,
        sum(amount_units) as amount_units
    from {{ ref('int_method_sheets__service_money') }}
    where disposition = 'allocated'
    group by all
    union all
    select
        scenario_id,
        period_id,
        version,
        service_id,
        'services' as stop_code,
        service_rule_id as rule_id,
        sum(amount_units) as amount_units
    from {{ ref('int_method_sheets__service_money') }}
    where disposition = 'allocated'
    group by all
),

rules as (
    {% for stop, model in [('towers', 'stg_model__tower_rules'), ('services', 'stg_model__service_rules')] %}
    select
        '{{ stop }}' as stop_code,
        rule_id,
        method,
        {{ 'false as to_tagged_service' if stop == 'towers' else 'to_tagged_service' }},
        driver_id,
        owner_name,
        reason,
        approved_by,
        approved_on
    from {{ ref(model) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    money.scenario_id,
    money.period_id,
    money.version,
    money.service_id,
    money.stop_code,
    money.rule_id,
    rules.method,
    rules.to_tagged_service,
    rules.driver_id,
    drivers.driver_name,
    rules.owner_name,
    rules.reason,
    rules.approved_by,
    rules.approved_on,
    {{ units_to_amount('money.amount_units') }} as amount
from money
inner join rules on money.stop_code = rules.stop_code and money.rule_id = rules.rule_id
left join {{ ref('stg_model__drivers') }} as drivers on rules.driver_id = drivers.driver_id
