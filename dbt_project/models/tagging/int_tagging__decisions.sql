-- How each metered row of a bill got its service, and how its consumer. A value that the catalogue or
-- the master does not know is 'unknown': it is named, and nobody can be asked about it.
with costs as (
    select * from {{ ref('met_cloud_costs') }}
),

rules as (
    select * from {{ ref('stg_model__tagging_rules') }}
),

services as (
    select
        known.service_id,
        catalogue.driver_id is not null as has_driver
    from {{ ref('int_services__known') }} as known
    left join {{ ref('stg_model__services') }} as catalogue on known.service_id = catalogue.service_id
),

to_services as (
    select
        costs.scenario_id,
        costs.period_id,
        costs.source_id,
        costs.cloud_line_key,
        'service' as target_kind,
        costs.tagged_service_id as target_id,
        costs.service_rule_id as rule_id,
        case
            when costs.tagged_service_id is null then 'unmapped'
            when services.service_id is null then 'unknown'
            when costs.service_rule_id is null then 'feed'
            when rules.service_id is not null then 'rule'
            else 'tag'
        end as mapping_method,
        costs.line_count
    from costs
    left join services on costs.tagged_service_id = services.service_id
    left join rules on costs.service_rule_id = rules.rule_id
),

to_consumers as (
    select
        costs.scenario_id,
        costs.period_id,
        costs.source_id,
        costs.cloud_line_key,
        'consumer' as target_kind,
        costs.tagged_consumer_id as target_id,
        costs.consumer_rule_id as rule_id,
        case
            when costs.tagged_consumer_id is null and services.has_driver then 'driver'
            when costs.tagged_consumer_id is null then 'unmapped'
            when consumers.cost_centre_id is null then 'unknown'
            when costs.consumer_rule_id is null then 'feed'
            when rules.consumer_id is not null then 'rule'
            else 'tag'
        end as mapping_method,
        costs.line_count
    from costs
    left join services on costs.tagged_service_id = services.service_id
    left join {{ ref('int_consumers__known') }} as consumers
        on costs.tagged_consumer_id = consumers.cost_centre_id and costs.period_id = consumers.period_id
    left join rules on costs.consumer_rule_id = rules.rule_id
),

together as (
    select * from to_services
    union all
    select * from to_consumers
)

select
    *,
    mapping_method not in ('unmapped', 'unknown') as is_mapped
from together
