{#
  The weights of the service rules, with the running totals to split by: of the rules that have a
  prior allocation among their drivers, or of all others.

  by_prior_allocation  true or false: which of the two
  quantities           relation of driver quantities
#}
{% macro weigh_services(by_prior_allocation, quantities) -%}
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
    select parts.*
    from {{ ref('stg_model__split_parts') }} as parts
    where
        parts.stop_code = 'services'
        and (parts.rule_id in (
            select others.rule_id
            from {{ ref('stg_model__split_parts') }} as others
            inner join {{ ref('stg_model__drivers') }} as drivers on others.driver_id = drivers.driver_id
            where others.stop_code = 'services' and drivers.driver_kind = 'prior_allocation'
        )) = {{ by_prior_allocation }}
){% endset %}
{% set receivers %}(
    select
        rule_id,
        part_code,
        cast(null as varchar) as period_id,
        'service' as receiver_kind,
        receiver_id,
        weight
    from {{ ref('stg_model__service_rule_receivers') }}
){% endset %}
with resolved as (
    {{ resolve_weights(needed, rules, receivers, ['service'], quantities) }}
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
{%- endmacro %}
