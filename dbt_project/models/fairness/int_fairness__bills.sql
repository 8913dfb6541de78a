-- Each bill of a service beside what its consumer would pay alone, what it adds, and its Shapley
-- value. The cost of a group S of consumers is
--     c(S) = fixed (unless S is empty) + variable * quantity of S / quantity of all + what names S,
-- so that alone = c({i}), added = c(all) - c(all but i), and the Shapley value has a closed form: an
-- equal part of the fixed cost, the own part of the variable cost, and what names i (Shapley 1953;
-- the tests of stand-alone and incremental cost as in Young, "Cost Allocation: Methods, Principles,
-- Applications", 1985; one fixed cost for all is the airport game with one size of runway).
-- In cents, which are made here once: the three add up to the cost of the service exactly. A verdict
-- looks at engine units, so that no rounding can make a bill unfair: it must be off by a whole cent.
{% set cent = 1000000 %}
{% set service = 'scenario_id, period_id, version, service_id' %}
{% set order = 'consumer_kind, consumer_id' %}
with shared as (
    select
        consumers.*,
        consumers.consumer_kind in ('consumer', 'service') as is_consumer,
        services.joint_units,
        services.fixed_units,
        services.undeclared_units
    from {{ ref('int_fairness__consumers') }} as consumers
    inner join {{ ref('int_fairness__services') }} as services
        on consumers.scenario_id = services.scenario_id
        and consumers.period_id = services.period_id
        and consumers.version = services.version
        and consumers.service_id = services.service_id
),

weighed as (
    select
        *,
        {{ weight_ranges('weight', service, order) }},
        sum(case when is_consumer then weight else 0 end) over (partition by {{ service }}) as consumer_weight
    from shared
),

-- Idle capacity and what is held take their part of the cost with them.
own as (
    select
        * exclude (joint_units, fixed_units, undeclared_units),
        case when weight > 0 and quantity is not null then {{ decimal_to_integer('quantity', 12) }} else 0 end
            as quantity_weight,
        case
            when consumer_kind = 'service' and weight_total > 0
                then {{ allocate_by_driver('joint_units', 'weight_from', 'weight_to', 'weight_total') }}
            else charge_units
        end as bill_units,
        case
            when weight_total > 0
                then {{ allocate_by_driver('joint_units', '0', 'consumer_weight', 'weight_total') }}
            else 0
        end as shared_units,
        case
            when weight_total > 0
                then {{ allocate_by_driver('fixed_units', '0', 'consumer_weight', 'weight_total') }}
            else 0
        end as fixed_units,
        case
            when weight_total > 0
                then {{ allocate_by_driver('undeclared_units', '0', 'consumer_weight', 'weight_total') }}
            else 0
        end as undeclared_units
    from weighed
    where is_consumer
),

counted as (
    select
        *,
        shared_units - fixed_units - undeclared_units as variable_units,
        {{ divide_integers('dedicated_units', cent) }} as dedicated_cents,
        count(*) over (partition by {{ service }}) as consumer_count,
        count(*) filter (weight > 0) over (partition by {{ service }}) as sharer_count,
        count(*) filter (weight > 0) over (
            partition by {{ service }} order by {{ order }} rows between unbounded preceding and current row
        ) as sharer_rank,
        bool_or(weight > 0 and quantity is null) over (partition by {{ service }}) as lacks_quantity,
        bool_or(consumer_kind = 'service') over (partition by {{ service }}) as has_services,
        sum(charge_cents) over (partition by {{ service }}) as charged_cents,
        sum(dedicated_units) over (partition by {{ service }}) as all_dedicated_units,
        case when consumer_kind = 'service' then weight else 0 end as service_weight
    from own
),

cents as (
    select
        * exclude (weight_from, weight_to, weight_total),
        case
            when has_services then {{ divide_integers('shared_units + all_dedicated_units', cent) }}
            else charged_cents
        end as service_cents,
        {{ divide_integers('fixed_units', cent) }} as fixed_cents,
        {{ divide_integers('undeclared_units', cent) }} as undeclared_cents,
        sum(dedicated_cents) over (partition by {{ service }}) as all_dedicated_cents,
        {{ weight_ranges('service_weight', service, order) }}
    from counted
),

billed as (
    select
        * exclude (weight_from, weight_to, weight_total),
        case
            when consumer_kind = 'service'
                then {{ allocate_by_driver(
                    '(service_cents - charged_cents)', 'weight_from', 'weight_to', 'weight_total'
                ) }}
            else charge_cents
        end as bill_cents,
        -- Where all of the cost names its consumer, nothing is shared, and a bill is what names it.
        case
            when sharer_count > 0 then service_cents - all_dedicated_cents - fixed_cents - undeclared_cents
            else 0
        end as variable_cents,
        {{ weight_ranges('quantity_weight', service, order) }},
        case
            when undeclared_units <> 0 then 'undeclared'
            when lacks_quantity then 'unmeasured'
            when fixed_units < 0 or variable_units < 0 then 'credit'
            when sharer_count = 0 then 'dedicated'
            else 'compared'
        end as status_code
    from cents
    where consumer_count > 1
),

parts as (
    select
        * exclude (dedicated_cents),
        case when sharer_count > 0 then dedicated_cents else bill_cents end as dedicated_cents,
        case when weight > 0 then fixed_cents else 0 end as alone_fixed_cents,
        case when weight > 0 and sharer_count = 1 then fixed_cents else 0 end as added_fixed_cents,
        case
            when weight > 0
                then {{ allocate_by_driver('fixed_cents', '(sharer_rank - 1)', 'sharer_rank', 'sharer_count') }}
            else 0
        end as equal_fixed_cents,
        case when sharer_count > 0 then dedicated_cents else bill_cents end
        + case
            when weight_total > 0
                then {{ allocate_by_driver('variable_cents', 'weight_from', 'weight_to', 'weight_total') }}
            else 0
        end as own_cents,
        dedicated_units + case
            when weight_total > 0
                then {{ allocate_by_driver('variable_units', 'weight_from', 'weight_to', 'weight_total') }}
            else 0
        end as own_units
    from billed
)

select
    scenario_id,
    period_id,
    version,
    service_id,
    consumer_kind,
    consumer_id,
    quantity,
    unit_code,
    consumer_count,
    status_code,
    bill_cents,
    dedicated_cents,
    case when status_code in ('compared', 'dedicated') then own_cents + added_fixed_cents end as incremental_cents,
    case when status_code in ('compared', 'dedicated') then own_cents + alone_fixed_cents end as stand_alone_cents,
    case when status_code in ('compared', 'dedicated') then own_cents + equal_fixed_cents end as shapley_cents,
    case
        when status_code not in ('compared', 'dedicated') then null
        when bill_units - own_units - case when weight > 0 then fixed_units else 0 end >= {{ cent }} then 'above'
        when
            own_units + case when weight > 0 and sharer_count = 1 then fixed_units else 0 end - bill_units
            >= {{ cent }}
            then 'below'
        else 'between'
    end as verdict_code,
    service_cents,
    fixed_cents,
    variable_cents,
    case when sharer_count > 0 then all_dedicated_cents else service_cents end as all_dedicated_cents,
    undeclared_cents
from parts
