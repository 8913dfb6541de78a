-- Typed-in quantities count in every period whose first day is in their span. Where the attestation of
-- their table ended before that day they still count, and are stale.
with periods as (
    select
        'actual' as scenario_id,
        period_id,
        period_start
    from {{ ref('stg_model__periods') }}
    union all
    select
        versions.scenario_id,
        periods.period_id,
        periods.period_start
    from {{ ref('stg_model__periods') }} as periods
    inner join {{ ref('stg_model__period_versions') }} as versions
        on versions.scenario_id = 'restated' and periods.period_id = versions.period_id
)

select
    periods.scenario_id,
    periods.period_id,
    drivers.driver_id,
    quantities.sender_id,
    quantities.receiver_kind,
    quantities.receiver_id,
    quantities.quantity,
    drivers.unit_code,
    case when periods.period_start < drivers.attested_until then drivers.quality else 'stale' end as quality
from {{ ref('stg_model__driver_table_rows') }} as quantities
inner join {{ ref('stg_model__drivers') }} as drivers on quantities.driver_id = drivers.driver_id
inner join periods on {{ is_valid_in_period('quantities', 'periods') }}
