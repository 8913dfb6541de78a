{% set needed %}(
    select distinct
        scenario_id,
        period_id,
        version,
        tower_rule_id as rule_id,
        cost_centre_id as sender_id
    from {{ ref('int_cost_pools__cells') }}
    where disposition = 'allocated' and tower_rule_id is not null
){% endset %}
{% set rules %}(
    select * from {{ ref('stg_model__split_parts') }}
    where stop_code = 'towers'
){% endset %}
{% set receivers %}(
    select
        rule_id,
        part_code,
        cast(null as varchar) as period_id,
        'tower' as receiver_kind,
        receiver_id,
        weight
    from {{ ref('stg_model__tower_rule_receivers') }}
){% endset %}
with resolved as (
    {{ resolve_weights(needed, rules, receivers, ['tower']) }}
),

known as (
    select
        resolved.*,
        case
            when resolved.receiver_kind = 'unallocated' then 'unallocated'
            when towers.tower_id is null then 'unmapped'
            else 'allocated'
        end as receiver_disposition
    from resolved
    left join {{ ref('stg_model__towers') }} as towers on resolved.receiver_id = towers.tower_id
)

select
    *,
    {{ split_quality_rank(
        'driver_quality', 'quantity', 'receiver_id', 'scenario_id, period_id, version, rule_id, sender_id'
    ) }} as split_quality_rank,
    {{ weight_ranges('weight', 'scenario_id, period_id, version, rule_id, sender_id', 'receiver_id') }}
from known
