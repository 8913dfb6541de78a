-- What each service and each consumer used of commitments, at its effective cost; the unused part can
-- follow it.
select
    costs.scenario_id,
    costs.period_id,
    drivers.driver_id,
    cast(null as varchar) as sender_id,
    'service' as receiver_kind,
    costs.tagged_service_id as receiver_id,
    greatest(sum(costs.committed_amount_local), 0) as quantity,
    drivers.unit_code,
    drivers.quality
from {{ ref('met_cloud_costs') }} as costs
inner join {{ ref('stg_model__drivers') }} as drivers on drivers.driver_kind = 'commitment_use'
where costs.tagged_service_id is not null and costs.committed_amount_local is not null
group by all
union all
select
    costs.scenario_id,
    costs.period_id,
    drivers.driver_id,
    cast(null as varchar) as sender_id,
    'consumer' as receiver_kind,
    costs.tagged_consumer_id as receiver_id,
    greatest(sum(costs.committed_amount_local), 0) as quantity,
    drivers.unit_code,
    drivers.quality
from {{ ref('met_cloud_costs') }} as costs
inner join {{ ref('stg_model__drivers') }} as drivers on drivers.driver_kind = 'commitment_use'
where costs.tagged_consumer_id is not null and costs.committed_amount_local is not null
group by all
