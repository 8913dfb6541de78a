-- What the users of a service share, and what of it is fixed or of no declared behaviour: its full
-- cost, shared services included, without the lines that name their consumer.
with direct as (
    select
        scenario_id,
        period_id,
        version,
        service_id,
        coalesce(sum(amount_units) filter (cost_behaviour = 'fixed'), 0) as fixed_units,
        coalesce(sum(amount_units) filter (cost_behaviour = 'undeclared'), 0) as undeclared_units
    from {{ ref('int_method_sheets__service_money') }}
    where disposition = 'allocated' and tagged_consumer_id is null
    group by all
),

behaviours as (
    select
        direct.scenario_id,
        direct.period_id,
        direct.version,
        weights.to_service_id as service_id,
        sum({{ multiply_and_divide(
            'direct.fixed_units', 'cast(weights.gross_weight as hugeint)', '1000000000000000'
        ) }}) as fixed_units,
        sum({{ multiply_and_divide(
            'direct.undeclared_units', 'cast(weights.gross_weight as hugeint)', '1000000000000000'
        ) }}) as undeclared_units
    from direct
    inner join {{ ref('int_delivered_services__weights') }} as weights
        on direct.scenario_id = weights.scenario_id
        and direct.period_id = weights.period_id
        and direct.version = weights.version
        and direct.service_id = weights.from_service_id
    group by all
),

dedicated as (
    select
        scenario_id,
        period_id,
        version,
        service_id,
        sum(amount_units) as dedicated_units
    from {{ ref('int_services__cells') }}
    where disposition = 'allocated' and tagged_consumer_id is not null
    group by all
)

select
    scenario_id,
    period_id,
    version,
    service_id,
    {{ units_of_amount('costs.full_amount') }} - coalesce(dedicated.dedicated_units, 0) as joint_units,
    coalesce(behaviours.fixed_units, 0) as fixed_units,
    coalesce(behaviours.undeclared_units, 0) as undeclared_units
from {{ ref('fct_service_costs_monthly') }} as costs
left join dedicated using (scenario_id, period_id, version, service_id)
left join behaviours using (scenario_id, period_id, version, service_id)
