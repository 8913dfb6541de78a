with by_tower as (
    select
        hours.scenario_id,
        hours.period_id,
        drivers.driver_id,
        hours.cost_centre_id as sender_id,
        'tower' as receiver_kind,
        hours.tower_id as receiver_id,
        sum(hours.hours_quantity) as quantity,
        drivers.unit_code,
        drivers.quality
    from {{ ref('stg_timesheets__hours') }} as hours
    inner join {{ ref('stg_model__drivers') }} as drivers on drivers.driver_kind = 'timesheet_hours_by_tower'
    group by all
),

by_service as (
    select
        hours.scenario_id,
        hours.period_id,
        drivers.driver_id,
        hours.tower_id as sender_id,
        'service' as receiver_kind,
        hours.service_id as receiver_id,
        sum(hours.hours_quantity) as quantity,
        drivers.unit_code,
        drivers.quality
    from {{ ref('stg_timesheets__hours') }} as hours
    inner join {{ ref('stg_model__drivers') }} as drivers on drivers.driver_kind = 'timesheet_hours_by_service'
    where hours.service_id is not null
    group by all
)

select * from by_tower
union all
select * from by_service
