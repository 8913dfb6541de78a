{#
  Integer weights for every (rule, sender) that has money to split.

  needed      relation: scenario_id, period_id, version, rule_id, sender_id
  rules       relation: the parts of the rules, as in stg_model__split_parts
  receivers   relation: rule_id, part_code, period_id (null = every period), receiver_kind,
              receiver_id, weight
  kinds       the receiver kinds of driver quantities that may receive here
  quantities  relation of driver quantities; fct_driver_quantities where left out

  A driver without a positive quantity is never a null: the latest earlier period, an even split,
  or '(unallocated)' takes its place, as the rule declares, and `driver_quality` says so. What splits
  by capacity needs its idle quantity as well, which is there, if only as zero, where both are known.

  A quantity counts with all of its twelve decimals. The weights of a part are the smallest integers of
  their proportion; `weight_scale` is what they were divided by, so that weight x scale is in 10^-12 of
  a unit (times the weight of a weighted split) in every period.

  Shares that leave a rest are one part of a rule, its residual is another one with R of the sum S of
  both. Parts become one set of weights without rounding: shares times the sum of the residual's
  weights, and those times R. A receiver of both parts has two rows.

  A receiver of a weighted split for whom no weight is declared has the weight null, which the
  guards refuse; they refuse weights that no total could hold as well (multiply_weights).
#}
{% macro resolve_weights(needed, rules, receivers, kinds, quantities=none) -%}
    with needed as (
        select
            needed.scenario_id,
            needed.period_id,
            needed.version,
            needed.rule_id,
            needed.sender_id,
            rules.part_code,
            rules.method,
            rules.driver_id,
            rules.fallback,
            rules.residual_weight,
            rules.method in ('driver', 'weighted', 'capacity') as is_driven,
            coalesce(case when drivers.sender_kind is not null then needed.sender_id end, '*') as sender_key
        from {{ needed }} as needed
        inner join {{ rules }} as rules on needed.rule_id = rules.rule_id
        left join {{ ref('stg_model__drivers') }} as drivers on rules.driver_id = drivers.driver_id
    ),

    counted as (
        select
            quantities.*,
            rules.rule_id,
            rules.part_code,
            rules.method,
            coalesce(quantities.sender_id, '*') as sender_key,
            case rules.negative
                when 'absolute' then abs(quantities.quantity)
                else greatest(quantities.quantity, 0)
            end as counted_quantity,
            case
                when rules.method = 'weighted' then coalesce(receivers.weight, rules.default_weight)
                else 1
            end as unit_weight
        from {{ quantities or ref('fct_driver_quantities') }} as quantities
        inner join {{ rules }} as rules
            on quantities.driver_id = rules.driver_id and rules.method in ('driver', 'weighted', 'capacity')
        left join {{ receivers }} as receivers
            on rules.rule_id = receivers.rule_id
            and rules.part_code = receivers.part_code
            and quantities.receiver_kind = receivers.receiver_kind
            and quantities.receiver_id = receivers.receiver_id
            and (receivers.period_id is null or quantities.period_id = receivers.period_id)
        where
            quantities.receiver_kind in ({% for kind in kinds %}'{{ kind }}'{{ ', ' if not loop.last }}{% endfor %})
            and (not rules.limits_receivers or receivers.receiver_id is not null)
    ),

    candidates as (
        select
            scenario_id,
            period_id,
            rule_id,
            part_code,
            method,
            sender_key,
            receiver_kind,
            receiver_id,
            quality,
            unit_code,
            sum(counted_quantity) as quantity,
            -- Null, and not less, where one of the weights is not known.
            case
                when bool_and(unit_weight is not null)
                    then sum({{ multiply_weights(decimal_to_integer('counted_quantity', 12), 'unit_weight') }})
            end as weight
        from counted
        where counted_quantity > 0 or receiver_kind = 'idle'
        group by all
    ),

    totals as (
        select
            scenario_id,
            rule_id,
            part_code,
            sender_key,
            period_id,
            -- What no total could hold stays what the guards refuse: divided, it would pass as a weight.
            case
                when max(weight) >= {{ unholdable_weight() }} then 1
                else {{ greatest_divisor('list(weight) filter (weight > 0)') }}
            end as weight_scale
        from candidates
        group by all
        having
            (sum(weight) > 0 or bool_or(weight is null))
            and (bool_or(receiver_kind = 'idle') or bool_and(method <> 'capacity'))
    ),

    resolved as (
        select
            needed.*,
            totals.period_id as driver_period_id,
            totals.weight_scale,
            needed.is_driven
            and totals.period_id is not null
            and (totals.period_id = needed.period_id or needed.fallback = 'prior_period') as has_quantities
        from needed
        asof left join totals
            on needed.scenario_id = totals.scenario_id
            and needed.rule_id = totals.rule_id
            and needed.part_code = totals.part_code
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
            resolved.part_code,
            resolved.residual_weight,
            candidates.receiver_kind,
            candidates.receiver_id,
            resolved.driver_id,
            case
                when resolved.driver_period_id = resolved.period_id then candidates.quality
                else 'stale'
            end as driver_quality,
            candidates.quantity,
            candidates.unit_code,
            candidates.weight // resolved.weight_scale as weight,
            resolved.weight_scale
        from resolved
        inner join candidates
            on resolved.scenario_id = candidates.scenario_id
            and resolved.rule_id = candidates.rule_id
            and resolved.part_code = candidates.part_code
            and resolved.sender_key = candidates.sender_key
            and resolved.driver_period_id = candidates.period_id
        where resolved.has_quantities and (candidates.weight > 0 or candidates.weight is null)
    ),

    declared as (
        select
            resolved.scenario_id,
            resolved.period_id,
            resolved.version,
            resolved.rule_id,
            resolved.sender_id,
            resolved.part_code,
            resolved.residual_weight,
            receivers.receiver_kind,
            receivers.receiver_id,
            resolved.driver_id,
            case when resolved.is_driven then 'fallback' else 'measured' end as driver_quality,
            cast(null as decimal(38, 12)) as quantity,
            cast(null as varchar) as unit_code,
            case when resolved.is_driven then 1 else receivers.weight end as weight,
            cast(1 as hugeint) as weight_scale
        from resolved
        inner join {{ receivers }} as receivers
            on resolved.rule_id = receivers.rule_id
            and resolved.part_code = receivers.part_code
            and (receivers.period_id is null or receivers.period_id = resolved.period_id)
        where not resolved.is_driven or (not resolved.has_quantities and resolved.fallback = 'even')
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
            resolved.part_code,
            resolved.residual_weight,
            'unallocated' as receiver_kind,
            '(unallocated)' as receiver_id,
            resolved.driver_id,
            'fallback' as driver_quality,
            cast(null as decimal(38, 12)) as quantity,
            cast(null as varchar) as unit_code,
            cast(1 as hugeint) as weight,
            cast(1 as hugeint) as weight_scale
        from resolved
        anti join found
            on resolved.scenario_id = found.scenario_id
            and resolved.period_id = found.period_id
            and resolved.version = found.version
            and resolved.rule_id = found.rule_id
            and resolved.part_code = found.part_code
            and resolved.sender_id is not distinct from found.sender_id
    ),

    parts as (
        select * from found
        union all
        select * from held
    ),

    residuals as (
        select
            scenario_id,
            period_id,
            version,
            rule_id,
            sender_id,
            sum(weight) as total_weight,
            max(weight_scale) as weight_scale
        from parts
        where part_code = 'residual'
        group by all
    )

    select
        parts.scenario_id,
        parts.period_id,
        parts.version,
        parts.rule_id,
        parts.sender_id,
        parts.receiver_kind,
        parts.receiver_id,
        parts.driver_id,
        parts.driver_quality,
        parts.quantity,
        parts.unit_code,
        case parts.part_code
            when 'residual' then {{ multiply_weights('parts.weight', 'parts.residual_weight') }}
            when 'shares' then {{ multiply_weights('parts.weight', 'residuals.total_weight') }}
            else parts.weight
        end as weight,
        coalesce(residuals.weight_scale, parts.weight_scale) as weight_scale
    from parts
    left join residuals
        on parts.scenario_id = residuals.scenario_id
        and parts.period_id = residuals.period_id
        and parts.version = residuals.version
        and parts.rule_id = residuals.rule_id
        and parts.sender_id is not distinct from residuals.sender_id
{%- endmacro %}
