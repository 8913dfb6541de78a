-- Tower money in its services with the rules that brought it and its cost behaviour.
-- It is split in finer parts than in int_services__cells, so that the parts of one (pool, tower)
-- sum to the same over all receivers, and those of one service to the same but for engine units.
with money as (
    select
        money.*,
        matches.rule_id as service_rule_id,
        coalesce(matches.to_tagged_service, false) as to_tagged_service
    from {{ ref('int_method_sheets__tower_money') }} as money
    left join {{ ref('int_services__rule_matches') }} as matches
        on money.scenario_id = matches.scenario_id
        and money.period_id = matches.period_id
        and money.tower_id = matches.tower_id
        and money.cost_pool_id = matches.cost_pool_id
        and (money.tagged_service_id is not null) = matches.is_tagged
),

split as (
    select
        money.* exclude (tagged_service_id, to_tagged_service, amount_units),
        weights.receiver_disposition as disposition,
        case
            when weights.receiver_disposition = 'allocated' then weights.receiver_id
            else '(' || weights.receiver_disposition || ')'
        end as service_id,
        {{ allocate_by_driver(
            'money.amount_units', 'weights.weight_from', 'weights.weight_to', 'weights.weight_total'
        ) }} as amount_units
    from money
    inner join {{ ref('int_services__weights') }} as weights
        on money.scenario_id = weights.scenario_id
        and money.period_id = weights.period_id
        and money.version = weights.version
        and money.service_rule_id = weights.rule_id
        and money.tower_id = weights.sender_id
    where not money.to_tagged_service
),

passed as (
    select
        money.* exclude (tagged_service_id, to_tagged_service, amount_units),
        case when services.service_id is null then 'unmapped' else 'allocated' end as disposition,
        coalesce(services.service_id, '(unmapped)') as service_id,
        money.amount_units
    from money
    left join {{ ref('int_services__known') }} as services
        on money.to_tagged_service and money.tagged_service_id = services.service_id
    where money.to_tagged_service or money.service_rule_id is null
),

together as (
    select * from split
    union all by name
    select * from passed
)

select
    scenario_id,
    period_id,
    version,
    disposition,
    service_id,
    cost_pool_id,
    tower_id,
    cost_behaviour,
    tower_rule_id,
    service_rule_id,
    tagged_consumer_id,
    sum(amount_units) as amount_units
from together
group by all
