-- Where corrections of closed periods are posted: the first period with actual cost after the last closed
-- one. No row while there is none; then they wait.
with last_closed as (
    select max(period_id) as period_id
    from {{ ref('stg_model__closed_periods') }}
)

select
    versions.scenario_id,
    versions.period_id,
    versions.version
from {{ ref('stg_model__period_versions') }} as versions
cross join last_closed
where versions.scenario_id = 'actual' and versions.period_id > last_closed.period_id
order by versions.period_id
limit 1
