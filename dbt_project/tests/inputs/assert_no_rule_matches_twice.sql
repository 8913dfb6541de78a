-- A combination of attributes with two matching rules would send the same money down both.
select
    'pool and tower rules' as rule_kind,
    scenario_id,
    period_id,
    concat_ws(
        ' | ', source_id, account_id, cost_centre_id, coalesce(vendor_name, '-'), legal_entity_id,
        coalesce(category_name, '-')
    ) as combination,
    count(*) as match_count
from {{ ref('int_cost_pools__rule_matches') }}
group by scenario_id, period_id, source_id, account_id, cost_centre_id, vendor_name, legal_entity_id, category_name
having count(*) > 1
union all
select
    'service rules' as rule_kind,
    scenario_id,
    period_id,
    concat_ws(' | ', tower_id, cost_pool_id, is_tagged) as combination,
    count(*) as match_count
from {{ ref('int_services__rule_matches') }}
group by scenario_id, period_id, tower_id, cost_pool_id, is_tagged
having count(*) > 1
union all
select
    'tagging rules' as rule_kind,
    cast(null as varchar) as scenario_id,
    period_id,
    cast(seen_attributes as varchar) as combination,
    count(*) as match_count
from {{ ref('int_tagging__matches') }}
group by period_id, seen_attributes
having count(*) > 1
