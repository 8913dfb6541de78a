-- Who uses each service, in integer weights: consumers, other services, nobody (idle capacity), or
-- nobody known. Edges that the method forbids are taken out here: all between services for `direct`;
-- for `step_down` those to a service that is not later in the declared order, self-use among them;
-- none for `reciprocal`, whose solver reads self-use as no use. What is idle is idle by all use, also
-- by that which is taken out: the weights of the users that stay stand for all of it.
{% set needed %}(
    select
        versions.scenario_id,
        versions.period_id,
        versions.version,
        services.service_id as rule_id,
        services.service_id as sender_id
    from {{ ref('stg_model__period_versions') }} as versions
    cross join {{ ref('int_services__known') }} as services
){% endset %}
{% set rules %}(
    select
        known.service_id as rule_id,
        coalesce(parts.part_code, 'all') as part_code,
        coalesce(parts.method, 'driver') as method,
        parts.driver_id,
        coalesce(parts.fallback, 'hold') as fallback,
        coalesce(parts.negative, 'refuse') as negative,
        coalesce(parts.limits_receivers, false) as limits_receivers,
        parts.default_weight,
        parts.residual_weight
    from {{ ref('int_services__known') }} as known
    left join {{ ref('stg_model__split_parts') }} as parts
        on parts.stop_code = 'consumers' and known.service_id = parts.rule_id
){% endset %}
{% set receivers %}(
    select
        receivers.rule_id,
        receivers.part_code,
        periods.period_id,
        receivers.receiver_kind,
        centres.cost_centre_id as receiver_id,
        receivers.weight
    from {{ ref('stg_model__service_receivers') }} as receivers
    inner join {{ ref('stg_cost_centres__assignments') }} as centres
        on receivers.is_glob and centres.cost_centre_id glob receivers.receiver_id
    inner join {{ ref('stg_model__periods') }} as periods
        on centres.valid_from < periods.period_end
        and (centres.valid_to is null or centres.valid_to > periods.period_start)
    union
    select
        receivers.rule_id,
        receivers.part_code,
        periods.period_id,
        receivers.receiver_kind,
        receivers.receiver_id,
        receivers.weight
    from {{ ref('stg_model__service_receivers') }} as receivers
    cross join {{ ref('stg_model__periods') }} as periods
    where not receivers.is_glob
){% endset %}
-- Where a service is split, cloud cost is that of consumers; that of services is for service rules.
{% set quantities %}(
    select quantities.*
    from {{ ref('fct_driver_quantities') }} as quantities
    left join {{ ref('stg_model__drivers') }} as drivers on quantities.driver_id = drivers.driver_id
    where
        quantities.receiver_kind <> 'service'
        or coalesce(drivers.driver_kind, '') not in ('cloud_cost', 'commitment_use')
){% endset %}
with resolved as (
    {{ resolve_weights(needed, rules, receivers, ['consumer', 'service', 'idle'], quantities) }}
),

positions as (
    select
        known.service_id,
        coalesce(declared.position, 1000000) as position
    from {{ ref('int_services__known') }} as known
    left join {{ ref('stg_model__shared_service_order') }} as declared on known.service_id = declared.service_id
),

placed as (
    select
        resolved.*,
        receivers.service_id is not null as is_known_receiver,
        case settings.shared_method
            when 'reciprocal' then true
            when 'step_down' then senders.position < receivers.position
            else false
        end as may_pass_on,
        bool_or(resolved.receiver_kind = 'idle') over (
            partition by resolved.scenario_id, resolved.period_id, resolved.version, resolved.rule_id
        ) as has_idle
    from resolved
    cross join {{ ref('stg_model__settings') }} as settings
    left join positions as senders on resolved.rule_id = senders.service_id
    left join positions as receivers
        on resolved.receiver_kind = 'service' and resolved.receiver_id = receivers.service_id
),

judged as (
    select
        *,
        receiver_kind <> 'service'
        or not is_known_receiver
        or (may_pass_on and not (has_idle and receiver_id = rule_id)) as is_allowed
    from placed
),

sums as (
    select
        scenario_id,
        period_id,
        version,
        rule_id,
        max(driver_id) as driver_id,
        bool_or(has_idle) as has_idle,
        max(weight_scale) as weight_scale,
        coalesce(sum(weight) filter (receiver_kind <> 'idle'), 0) as used_weight,
        coalesce(sum(weight) filter (receiver_kind <> 'idle' and is_allowed), 0) as allowed_weight,
        count(*) filter (receiver_kind <> 'idle' and is_allowed) as allowed_count
    from judged
    group by all
),

allowed as (
    select
        judged.scenario_id,
        judged.period_id,
        judged.version,
        judged.rule_id as service_id,
        case
            when judged.receiver_kind = 'service' and not judged.is_known_receiver then 'unmapped'
            else judged.receiver_kind
        end as receiver_kind,
        judged.receiver_id,
        judged.driver_id,
        judged.driver_quality,
        judged.quantity,
        judged.unit_code,
        -- The same share for what is idle: times allowed over used, without a division.
        case
            when not judged.has_idle or sums.allowed_weight in (0, sums.used_weight) then judged.weight
            when judged.receiver_kind = 'idle' then {{ multiply_weights(
                'judged.weight', 'sums.allowed_weight // gcd(sums.allowed_weight, sums.used_weight)'
            ) }}
            else {{ multiply_weights(
                'judged.weight', 'sums.used_weight // gcd(sums.allowed_weight, sums.used_weight)'
            ) }}
        end as weight,
        judged.weight_scale,
        case
            when not judged.has_idle or sums.allowed_weight in (0, sums.used_weight) then cast(1 as hugeint)
            else sums.used_weight // gcd(sums.allowed_weight, sums.used_weight)
        end as weight_factor
    from judged
    inner join sums
        on judged.scenario_id = sums.scenario_id
        and judged.period_id = sums.period_id
        and judged.version = sums.version
        and judged.rule_id = sums.rule_id
    where judged.is_allowed
),

-- A service whose only users are services that may not receive has nobody to pass its cost to.
stranded as (
    select
        scenario_id,
        period_id,
        version,
        rule_id as service_id,
        'unallocated' as receiver_kind,
        '(unallocated)' as receiver_id,
        driver_id,
        'fallback' as driver_quality,
        cast(null as decimal(38, 12)) as quantity,
        cast(null as varchar) as unit_code,
        case when has_idle then used_weight else cast(1 as hugeint) end as weight,
        case when has_idle then weight_scale else cast(1 as hugeint) end as weight_scale,
        cast(1 as hugeint) as weight_factor
    from sums
    where allowed_count = 0 and (used_weight > 0 or not has_idle)
)

select * from allowed
union all
select * from stranded
