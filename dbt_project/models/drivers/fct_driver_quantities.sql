-- Another scenario's driver without quantities of its own in a period stands on the actual ones of
-- that period or, in the future, of the latest period before: estimated, and said so.
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
    where versions.scenario_id <> 'actual'
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
)

select * from delivered
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
