-- What restating changes in the charges of closed periods and no note has posted yet, in whole cents. A
-- rerun of another period has no restated one, and so no notes.
with charged as (
    select
        period_id,
        version,
        service_id,
        cost_centre_id,
        cast(null as varchar) as charge_id,
        charged_amount as restated_amount,
        0 as frozen_amount,
        0 as posted_amount
    from {{ ref('fct_charges_monthly') }}
    where scenario_id = 'restated' and disposition = 'allocated'
    union all
    select
        period_id,
        closed_version as version,
        service_id,
        cost_centre_id,
        charge_id,
        0 as restated_amount,
        charged_amount as frozen_amount,
        0 as posted_amount
    from {{ ref('stg_model__frozen_charges') }}
    where disposition = 'allocated'
    union all
    select
        notes.origin_period_id as period_id,
        notes.origin_version as version,
        notes.service_id,
        notes.cost_centre_id,
        cast(null as varchar) as charge_id,
        0 as restated_amount,
        0 as frozen_amount,
        notes.amount as posted_amount
    from {{ ref('stg_model__posted_notes') }} as notes
    inner join {{ ref('stg_model__restatements') }} as restatements
        on notes.origin_period_id = restatements.period_id
        and notes.origin_version = restatements.closed_version
)

select
    'restated' as scenario_id,
    period_id,
    version,
    service_id,
    cost_centre_id,
    max(charge_id) as charge_id,
    cast(sum(restated_amount) as decimal(38, 2)) as restated_amount,
    cast(sum(frozen_amount) as decimal(38, 2)) as frozen_amount,
    cast(sum(posted_amount) as decimal(38, 2)) as posted_amount,
    cast(sum(restated_amount) - sum(frozen_amount) - sum(posted_amount) as decimal(38, 2)) as open_amount
from charged
semi join {{ ref('stg_model__period_versions') }} as versions
    on versions.scenario_id = 'restated' and charged.period_id = versions.period_id
group by all
