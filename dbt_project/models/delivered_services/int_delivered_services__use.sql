-- Who uses each service, in integer weights: consumers, other services, or nobody known.
-- Edges that the method forbids are taken out here: all between services for `direct`; for
-- `step_down` those to a service that is not later in the declared order, self-use among them;
-- none for `reciprocal`, whose solver reads self-use as no use.
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
        'driver' as method,
        services.driver_id,
        coalesce(services.fallback, 'hold') as fallback,
        false as limits_receivers
    from {{ ref('int_services__known') }} as known
    left join {{ ref('stg_model__services') }} as services on known.service_id = services.service_id
){% endset %}
{% set receivers %}(
    select distinct
        services.service_id as rule_id,
        periods.period_id,
        'consumer' as receiver_kind,
        centres.cost_centre_id as receiver_id,
        cast(1 as hugeint) as weight
    from {{ ref('stg_model__services') }} as services
    inner join {{ ref('stg_cost_centres__assignments') }} as centres
        on services.consumers is not null
        and {{ match_globs('services.consumers', 'centres.cost_centre_id') }}
    inner join {{ ref('stg_model__periods') }} as periods
        on centres.valid_from < periods.period_end
        and (centres.valid_to is null or centres.valid_to > periods.period_start)
){% endset %}
with resolved as (
    {{ resolve_weights(needed, rules, receivers, ['consumer', 'service']) }}
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
        end as may_pass_on
    from resolved
    cross join {{ ref('stg_model__settings') }} as settings
    left join positions as senders on resolved.rule_id = senders.service_id
    left join positions as receivers
        on resolved.receiver_kind = 'service' and resolved.receiver_id = receivers.service_id
),

allowed as (
    select
        scenario_id,
        period_id,
        version,
        rule_id as service_id,
        case when receiver_kind = 'service' and not is_known_receiver then 'unmapped' else receiver_kind end
            as receiver_kind,
        receiver_id,
        driver_id,
        driver_quality,
        quantity,
        unit_code,
        weight
    from placed
    where receiver_kind <> 'service' or not is_known_receiver or may_pass_on
),

-- A service whose only users are services that may not receive has nobody to pass its cost to.
stranded as (
    select distinct
        resolved.scenario_id,
        resolved.period_id,
        resolved.version,
        resolved.rule_id as service_id,
        'unallocated' as receiver_kind,
        '(unallocated)' as receiver_id,
        resolved.driver_id,
        'fallback' as driver_quality,
        cast(null as decimal(38, 12)) as quantity,
        cast(null as varchar) as unit_code,
        cast(1 as hugeint) as weight
    from resolved
    anti join allowed
        on resolved.scenario_id = allowed.scenario_id
        and resolved.period_id = allowed.period_id
        and resolved.version = allowed.version
        and resolved.rule_id = allowed.service_id
)

select * from allowed
union all
select * from stranded
