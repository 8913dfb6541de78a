with counts as (
    select
        tickets.scenario_id,
        tickets.period_id,
        drivers.driver_id,
        tickets.service_id as sender_id,
        'consumer' as receiver_kind,
        coalesce(tickets.cost_centre_id, '(unmapped)') as receiver_id,
        sum(tickets.ticket_count) as quantity,
        drivers.unit_code,
        drivers.quality
    from {{ ref('met_tickets') }} as tickets
    inner join {{ ref('stg_model__drivers') }} as drivers on drivers.driver_kind = 'ticket_count'
    group by all
),

efforts as (
    select
        tickets.scenario_id,
        tickets.period_id,
        drivers.driver_id,
        cast(null as varchar) as sender_id,
        'service' as receiver_kind,
        tickets.service_id as receiver_id,
        sum(tickets.effort_minutes) as quantity,
        drivers.unit_code,
        drivers.quality
    from {{ ref('met_tickets') }} as tickets
    inner join {{ ref('stg_model__drivers') }} as drivers on drivers.driver_kind = 'ticket_effort'
    group by all
)

select * from counts
union all
select * from efforts
