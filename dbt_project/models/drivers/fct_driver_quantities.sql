-- Another scenario's driver without quantities of its own in a period stands on the actual ones of
-- that period or, in the future, of the latest period before: estimated, and said so. A restated period
-- borrows nothing; what it falls back on, where a rule says so, are the periods before it.
with delivered as (
    select * from {{ ref('int_drivers__delivered') }}
    union all
    select
        scenario_id,
        period_id,
        driver_id,
        sender_id,
        receiver_kind,
        receiver_id,
        cast(quantity as decimal(38, 12)) as quantity,
        unit_code,
        quality
    from {{ ref('drv_idle_capacity') }}
),

wanted as (
    select distinct
        versions.scenario_id,
        versions.period_id,
        drivers.driver_id
    from {{ ref('stg_model__period_versions') }} as versions
    cross join {{ ref('stg_model__drivers') }} as drivers
    where versions.scenario_id not in ('actual', 'restated')
),

missing as (
    select wanted.*
    from wanted
    anti join delivered
        on wanted.scenario_id = delivered.scenario_id
        and wanted.period_id = delivered.period_id
        and wanted.driver_id = delivered.driver_id
),

actual_periods as (
    select distinct
        driver_id,
        period_id
    from delivered
    where scenario_id = 'actual'
),

borrowed as (
    select
        missing.*,
        actual_periods.period_id as actual_period_id
    from missing
    asof inner join actual_periods
        on missing.driver_id = actual_periods.driver_id
        and missing.period_id >= actual_periods.period_id
),

restated as (
    select
        max(period_id) as last_period_id,
        list(period_id) as period_ids
    from {{ ref('stg_model__period_versions') }}
    where scenario_id = 'restated'
),

-- The periods before a restated one, under its scenario: restated where they are, else as they are.
looked_back_to as (
    select delivered.* replace ('restated' as scenario_id)
    from delivered
    inner join restated
        on delivered.period_id < restated.last_period_id
        and not list_contains(restated.period_ids, delivered.period_id)
    semi join {{ ref('stg_model__split_parts') }} as parts
        on delivered.driver_id = parts.driver_id and parts.fallback = 'prior_period'
    where delivered.scenario_id = 'actual'
)

select * from delivered
union all
select * from looked_back_to
union all
select
    borrowed.scenario_id,
    borrowed.period_id,
    borrowed.driver_id,
    delivered.sender_id,
    delivered.receiver_kind,
    delivered.receiver_id,
    delivered.quantity,
    delivered.unit_code,
    'estimated' as quality
from borrowed
inner join delivered
    on delivered.scenario_id = 'actual'
    and borrowed.driver_id = delivered.driver_id
    and borrowed.actual_period_id = delivered.period_id
