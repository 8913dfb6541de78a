{#
  Integer weights for every (rule, sender) that has money to split.

  needed      relation: scenario_id, period_id, version, rule_id, sender_id
  rules       relation: rule_id, method, driver_id, fallback, limits_receivers
  receivers   relation: rule_id, period_id (null = every period), receiver_kind, receiver_id, weight
  kinds       the receiver kinds of driver quantities that may receive here
  quantities  relation of driver quantities; fct_driver_quantities where left out

  A driver without a positive quantity is never a null: the latest earlier period, an even split,
  or '(unallocated)' takes its place, as the rule declares, and `driver_quality` says so.
#}
{% macro resolve_weights(needed, rules, receivers, kinds, quantities=none) -%}
    with needed as (
        select
            needed.scenario_id,
            needed.period_id,
            needed.version,
            needed.rule_id,
            needed.sender_id,
            rules.method,
            rules.driver_id,
            rules.fallback,
            coalesce(case when drivers.sender_kind is not null then needed.sender_id end, '*') as sender_key
        from {{ needed }} as needed
        inner join {{ rules }} as rules on needed.rule_id = rules.rule_id
        left join {{ ref('stg_model__drivers') }} as drivers on rules.driver_id = drivers.driver_id
    ),

    candidates as (
        select
            quantities.scenario_id,
            quantities.period_id,
            rules.rule_id,
            coalesce(quantities.sender_id, '*') as sender_key,
            quantities.receiver_kind,
            quantities.receiver_id,
            quantities.quality,
            quantities.unit_code,
            sum(quantities.quantity) as quantity,
            sum({{ decimal_to_integer('quantities.quantity', 6) }}) as weight
        from {{ quantities or ref('fct_driver_quantities') }} as quantities
        inner join {{ rules }} as rules
            on quantities.driver_id = rules.driver_id and rules.method = 'driver'
        left join (select distinct rule_id, receiver_id from {{ receivers }}) as receivers
            on rules.rule_id = receivers.rule_id and quantities.receiver_id = receivers.receiver_id
        where
            quantities.receiver_kind in ({% for kind in kinds %}'{{ kind }}'{{ ', ' if not loop.last }}{% endfor %})
            and quantities.quantity > 0
            and (not rules.limits_receivers or receivers.receiver_id is not null)
        group by all
    ),

    totals as (
        select scenario_id, rule_id, sender_key, period_id
        from candidates
        group by all
        having sum(weight) > 0
    ),

    resolved as (
        select
            needed.*,
            totals.period_id as driver_period_id,
            needed.method = 'driver'
            and totals.period_id is not null
            and (totals.period_id = needed.period_id or needed.fallback = 'prior_period') as has_quantities
        from needed
        asof left join totals
            on needed.scenario_id = totals.scenario_id
            and needed.rule_id = totals.rule_id
            and needed.sender_key = totals.sender_key
            and needed.period_id >= totals.period_id
    ),

    driven as (
        select
            resolved.scenario_id,
            resolved.period_id,
            resolved.version,
            resolved.rule_id,
            resolved.sender_id,
            candidates.receiver_kind,
            candidates.receiver_id,
            resolved.driver_id,
            case
                when resolved.driver_period_id = resolved.period_id then candidates.quality
                else 'stale'
            end as driver_quality,
            candidates.quantity,
            candidates.unit_code,
            candidates.weight
        from resolved
        inner join candidates
            on resolved.scenario_id = candidates.scenario_id
            and resolved.rule_id = candidates.rule_id
            and resolved.sender_key = candidates.sender_key
            and resolved.driver_period_id = candidates.period_id
        where resolved.has_quantities and candidates.weight > 0
    ),

    declared as (
        select
            resolved.scenario_id,
            resolved.period_id,
            resolved.version,
            resolved.rule_id,
            resolved.sender_id,
            receivers.receiver_kind,
            receivers.receiver_id,
            resolved.driver_id,
            case when resolved.method = 'driver' then 'fallback' else 'measured' end as driver_quality,
            cast(null as decimal(38, 12)) as quantity,
            cast(null as varchar) as unit_code,
            receivers.weight
        from resolved
        inner join {{ receivers }} as receivers
            on resolved.rule_id = receivers.rule_id
            and (receivers.period_id is null or receivers.period_id = resolved.period_id)
        where resolved.method <> 'driver' or (not resolved.has_quantities and resolved.fallback = 'even')
    ),

    found as (
        select * from driven
        union all
        select * from declared
    ),

    held as (
        select
            resolved.scenario_id,
            resolved.period_id,
            resolved.version,
            resolved.rule_id,
            resolved.sender_id,
            'unallocated' as receiver_kind,
            '(unallocated)' as receiver_id,
            resolved.driver_id,
            'fallback' as driver_quality,
            cast(null as decimal(38, 12)) as quantity,
            cast(null as varchar) as unit_code,
            cast(1 as hugeint) as weight
        from resolved
        anti join found
            on resolved.scenario_id = found.scenario_id
            and resolved.period_id = found.period_id
            and resolved.version = found.version
            and resolved.rule_id = found.rule_id
            and resolved.sender_id is not distinct from found.sender_id
    )

    select * from found
    union all
    select * from held
{%- endmacro %}
