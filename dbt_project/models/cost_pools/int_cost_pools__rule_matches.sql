-- The first pool rule and the first tower rule by priority for every combination of attributes that
-- occurs. Rules meet combinations, not lines: there are few of them however many lines there are.
with combinations as (
    select distinct
        scenario_id,
        period_id,
        source_id,
        account_id,
        cost_centre_id,
        vendor_name,
        legal_entity_id,
        category_name
    from {{ ref('int_ledger__lines') }}
),

dated as (
    select
        combinations.*,
        periods.period_start
    from combinations
    inner join {{ ref('stg_model__periods') }} as periods on combinations.period_id = periods.period_id
),

pooled as (
    select
        dated.*,
        rules.rule_id as pool_rule_id,
        rules.cost_pool_id,
        rules.sub_pool_name,
        rules.cost_behaviour,
        rules.exclude_as
    from dated
    left join {{ ref('stg_model__pool_rules') }} as rules
        on {{ match_globs('rules.accounts', 'dated.account_id') }}
        and {{ match_globs('rules.cost_centres', 'dated.cost_centre_id') }}
        and {{ match_globs('rules.vendors', 'dated.vendor_name') }}
        and {{ match_globs('rules.legal_entities', 'dated.legal_entity_id') }}
        and {{ match_globs('rules.sources', 'dated.source_id') }}
        and {{ match_globs('rules.categories', 'dated.category_name') }}
        and {{ is_valid_in_period('rules', 'dated') }}
    qualify row_number() over (
        partition by
            dated.scenario_id, dated.period_id, dated.source_id, dated.account_id, dated.cost_centre_id,
            dated.vendor_name, dated.legal_entity_id, dated.category_name
        order by rules.priority nulls last, rules.rule_id
    ) = 1
)

select
    pooled.* exclude (period_start),
    rules.rule_id as tower_rule_id
from pooled
left join {{ ref('stg_model__tower_rules') }} as rules
    on pooled.cost_pool_id is not null
    and {{ match_globs('rules.pools', 'pooled.cost_pool_id') }}
    and {{ match_globs('rules.sub_pools', 'pooled.sub_pool_name') }}
    and {{ match_globs('rules.accounts', 'pooled.account_id') }}
    and {{ match_globs('rules.cost_centres', 'pooled.cost_centre_id') }}
    and {{ match_globs('rules.vendors', 'pooled.vendor_name') }}
    and {{ match_globs('rules.legal_entities', 'pooled.legal_entity_id') }}
    and {{ match_globs('rules.sources', 'pooled.source_id') }}
    and {{ match_globs('rules.categories', 'pooled.category_name') }}
    and {{ is_valid_in_period('rules', 'pooled') }}
qualify row_number() over (
    partition by
        pooled.scenario_id, pooled.period_id, pooled.source_id, pooled.account_id, pooled.cost_centre_id,
        pooled.vendor_name, pooled.legal_entity_id, pooled.category_name
    order by rules.priority nulls last, rules.rule_id
) = 1
