select
    scenario_id,
    period_id,
    service_id,
    cost_centre_id,
    ticket_type,
    count(*) as ticket_count,
    sum(effort_minutes) as effort_minutes
from {{ ref('stg_tickets__tickets') }}
group by all
