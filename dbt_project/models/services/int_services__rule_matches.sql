-- The first service rule by priority for every (period, tower, pool, tagged or not).
with combinations as (
    select distinct
        scenario_id,
        period_id,
        tower_id,
        cost_pool_id,
        tagged_service_id is not null as is_tagged
    from {{ ref('int_towers__cells') }}
    where disposition = 'allocated'
),

dated as (
    select
        combinations.*,
        periods.period_start
    from combinations
    inner join {{ ref('stg_model__periods') }} as periods on combinations.period_id = periods.period_id
)

select
    dated.* exclude (period_start),
    rules.rule_id,
    rules.to_tagged_service
from dated
left join {{ ref('stg_model__service_rules') }} as rules
    on {{ match_globs('rules.towers', 'dated.tower_id') }}
    and {{ match_globs('rules.pools', 'dated.cost_pool_id') }}
    and (rules.is_tagged is null or dated.is_tagged = rules.is_tagged)
    and {{ is_valid_in_period('rules', 'dated') }}
qualify row_number() over (
    partition by dated.scenario_id, dated.period_id, dated.tower_id, dated.cost_pool_id, dated.is_tagged
    order by rules.priority nulls last, rules.rule_id
) = 1
