-- A ticket belongs to the period in which it was opened, by the workspace's clock.
with tickets as (
    select
        -- Tickets are counted, never planned: whoever sends them, they are actual.
        case when _scenario_id = 'restated' then 'restated' else 'actual' end as scenario_id,
        ticket_id,
        ticket_type,
        service_id,
        cost_centre_id,
        priority,
        opened_at,
        responded_at,
        resolved_at,
        paused_minutes,
        is_sla_met,
        effort_minutes,
        -- A target of zero minutes is no target.
        nullif(response_target_minutes, 0) as response_target_minutes,
        nullif(resolution_target_minutes, 0) as resolution_target_minutes,
        (opened_at at time zone 'UTC') at time zone settings.time_zone as opened_at_local,
        _file_id as file_id,
        _row_number as row_number
    from {{ source('lake', 'tickets') }}
    cross join {{ ref('stg_model__settings') }} as settings
),

periods as (
    select * from {{ ref('stg_model__periods') }}
)

select
    tickets.*,
    periods.period_id
from tickets
inner join periods
    on tickets.opened_at_local >= periods.period_start
    and tickets.opened_at_local < periods.period_end
