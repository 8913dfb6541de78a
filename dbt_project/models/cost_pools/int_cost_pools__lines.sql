-- Every cost line with its pool, or with the reason why it has none.
select
    lines.*,
    matches.pool_rule_id,
    case
        when matches.exclude_as is not null then matches.exclude_as
        when matches.cost_pool_id is null then 'unmapped'
        else 'allocated'
    end as disposition,
    coalesce(matches.cost_pool_id, '(' || coalesce(matches.exclude_as, 'unmapped') || ')') as cost_pool_id,
    matches.sub_pool_name,
    matches.cost_behaviour,
    matches.tower_rule_id
from {{ ref('int_ledger__lines') }} as lines
left join {{ ref('int_cost_pools__rule_matches') }} as matches
    on lines.scenario_id = matches.scenario_id
    and lines.period_id = matches.period_id
    and lines.source_id = matches.source_id
    and lines.account_id = matches.account_id
    and lines.cost_centre_id = matches.cost_centre_id
    and lines.vendor_name is not distinct from matches.vendor_name
    and lines.legal_entity_id = matches.legal_entity_id
    and lines.category_name is not distinct from matches.category_name
