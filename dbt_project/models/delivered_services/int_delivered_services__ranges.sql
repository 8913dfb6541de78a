-- Weights to split by, and how much of each passes a service whose driver is not measured.
select
    weights.scenario_id,
    weights.period_id,
    weights.version,
    weights.from_service_id,
    weights.to_service_id,
    cast(weights.delivered_weight as hugeint) as weight,
    cast(coalesce(doubts.estimated_or_worse_weight, 0) as hugeint) as estimated_or_worse_weight,
    cast(coalesce(doubts.stale_or_worse_weight, 0) as hugeint) as stale_or_worse_weight,
    cast(coalesce(doubts.fallback_weight, 0) as hugeint) as fallback_weight,
    {{ weight_ranges(
        'cast(weights.delivered_weight as hugeint)',
        'weights.scenario_id, weights.period_id, weights.version, weights.from_service_id',
        'weights.to_service_id'
    ) }}
from {{ ref('int_delivered_services__weights') }} as weights
left join {{ ref('int_delivered_services__doubts') }} as doubts
    on weights.scenario_id = doubts.scenario_id
    and weights.period_id = doubts.period_id
    and weights.version = doubts.version
    and weights.from_service_id = doubts.from_service_id
    and weights.to_service_id = doubts.to_service_id
where weights.delivered_weight > 0
