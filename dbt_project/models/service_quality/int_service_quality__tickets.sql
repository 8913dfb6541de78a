-- Each actual ticket beside what was agreed for it. What its sender says of the SLA counts; where the sender says
-- nothing, the targets decide: those of the ticket, else those of the agreement in force when it was opened. What
-- is missing is no miss: a target that nobody agreed, a response that was not recorded, a ticket that is not
-- resolved yet. The hours of a service calendar are not counted, so that its targets decide nothing here.
{% set in_force = 'agreements.calendar_id is null '
    "and tickets.opened_date < coalesce(agreements.valid_to, date '9999-12-31')" %}
with tickets as (
    select
        *,
        cast(opened_at_local as date) as opened_date,
        epoch(responded_at - opened_at) as response_seconds,
        epoch(resolved_at - opened_at) - 60 * coalesce(paused_minutes, 0) as resolution_seconds
    from {{ ref('stg_tickets__tickets') }}
    where scenario_id = 'actual'
),

agreements as (
    select * from {{ ref('stg_sla_targets__targets') }}
),

agreed as (
    select
        tickets.*,
        coalesce(
            tickets.response_target_minutes,
            case when {{ in_force }} then agreements.response_target_minutes end
        ) as agreed_response_minutes,
        coalesce(
            tickets.resolution_target_minutes,
            case when {{ in_force }} then agreements.resolution_target_minutes end
        ) as agreed_resolution_minutes
    from tickets
    asof left join agreements
        on tickets.service_id = agreements.service_id
        and tickets.ticket_type = agreements.ticket_type
        and tickets.priority = agreements.priority
        and tickets.opened_date >= agreements.valid_from
),

judged as (
    select
        *,
        response_seconds <= 60 * agreed_response_minutes as is_response_met,
        resolution_seconds <= 60 * agreed_resolution_minutes as is_resolution_met
    from agreed
),

computed as (
    select
        *,
        case
            -- Undecided until it is resolved.
            when agreed_resolution_minutes is not null and resolved_at is null then null
            when is_response_met is null and is_resolution_met is null then null
            else coalesce(is_response_met, true) and coalesce(is_resolution_met, true)
        end as is_computed_sla_met
    from judged
)

select
    period_id,
    service_id,
    ticket_id,
    ticket_type,
    effort_minutes,
    response_seconds,
    resolution_seconds,
    agreed_response_minutes,
    agreed_resolution_minutes,
    is_response_met,
    is_resolution_met,
    is_sla_met as is_delivered_sla_met,
    is_computed_sla_met,
    coalesce(is_sla_met, is_computed_sla_met) as is_sla_met
from computed
