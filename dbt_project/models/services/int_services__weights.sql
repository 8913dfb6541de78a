{% set needed %}(
    select distinct
        cells.scenario_id,
        cells.period_id,
        cells.version,
        matches.rule_id,
        cells.tower_id as sender_id
    from {{ ref('int_towers__cells') }} as cells
    inner join {{ ref('int_services__rule_matches') }} as matches
        on cells.scenario_id = matches.scenario_id
        and cells.period_id = matches.period_id
        and cells.tower_id = matches.tower_id
        and cells.cost_pool_id = matches.cost_pool_id
        and (cells.tagged_service_id is not null) = matches.is_tagged
    where cells.disposition = 'allocated' and matches.rule_id is not null and not matches.to_tagged_service
){% endset %}
{% set rules %}(
    select
        rule_id,
        method,
        driver_id,
        fallback,
        has_receivers as limits_receivers
    from {{ ref('stg_model__service_rules') }}
){% endset %}
{% set receivers %}(
    select
        rule_id,
        cast(null as varchar) as period_id,
        'service' as receiver_kind,
        receiver_id,
        weight
    from {{ ref('stg_model__service_rule_receivers') }}
){% endset %}
with resolved as (
    {{ resolve_weights(needed, rules, receivers, ['service']) }}
),

known as (
    select
        resolved.*,
        case
            when resolved.receiver_kind = 'unallocated' then 'unallocated'
            when services.service_id is null then 'unmapped'
            else 'allocated'
        end as receiver_disposition
    from resolved
    left join {{ ref('int_services__known') }} as services on resolved.receiver_id = services.service_id
)

select
    *,
    {{ split_quality_rank(
        'driver_quality', 'quantity', 'receiver_id', 'scenario_id, period_id, version, rule_id, sender_id'
    ) }} as split_quality_rank,
    {{ weight_ranges('weight', 'scenario_id, period_id, version, rule_id, sender_id', 'receiver_id') }}
from known
