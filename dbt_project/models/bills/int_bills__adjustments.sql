-- Adjustments and service credits that finance decided, on the bill of the period that they were posted in.
-- One that is posted in a period without cost waits until there is some.
select
    adjustments.scenario_id,
    adjustments.period_id,
    versions.version,
    adjustments.dispute_id as bill_item_id,
    adjustments.item_kind,
    adjustments.service_id,
    adjustments.cost_centre_id,
    adjustments.origin_period_id,
    adjustments.origin_version,
    adjustments.origin_charge_id,
    adjustments.dispute_id as reference_id,
    adjustments.reason,
    adjustments.amount
from {{ ref('stg_model__adjustments') }} as adjustments
inner join {{ ref('stg_model__period_versions') }} as versions
    on adjustments.scenario_id = versions.scenario_id and adjustments.period_id = versions.period_id
