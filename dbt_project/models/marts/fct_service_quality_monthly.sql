-- Service quality beside the cost: tickets against their targets, outages against the clock.
with tickets as (
    select
        *,
        date_diff('minute', opened_at, responded_at) as response_minutes,
        date_diff('minute', opened_at, resolved_at) as resolution_minutes
    from {{ ref('stg_tickets__tickets') }}
    where scenario_id = 'actual'
),

ticket_figures as (
    select
        period_id,
        service_id,
        count(*) filter (ticket_type = 'incident') as incident_count,
        count(*) filter (ticket_type = 'request') as request_count,
        count(*) filter (ticket_type = 'change') as change_count,
        count(*) as ticket_count,
        count(*) filter (responded_at is not null) as responded_count,
        count(*) filter (response_minutes <= response_target_minutes) as response_met_count,
        count(*) filter (resolved_at is not null) as resolved_count,
        count(*) filter (resolution_minutes <= resolution_target_minutes) as resolution_met_count,
        count(*) filter (
            response_minutes <= response_target_minutes and resolution_minutes <= resolution_target_minutes
        ) as sla_met_count,
        median(response_minutes) as median_response_minutes,
        median(resolution_minutes) as median_resolution_minutes,
        sum(effort_minutes) as effort_minutes
    from tickets
    group by all
),

outages as (
    select
        periods.period_id,
        outages.service_id,
        coalesce(sum(
            date_diff(
                'minute',
                greatest(outages.started_at, periods.period_start), least(outages.ended_at, periods.period_end)
            )
        ) filter (not outages.is_planned), 0) as outage_minutes,
        coalesce(sum(
            date_diff(
                'minute',
                greatest(outages.started_at, periods.period_start), least(outages.ended_at, periods.period_end)
            )
        ) filter (outages.is_planned), 0) as planned_outage_minutes
    from {{ ref('stg_outages__outages') }} as outages
    inner join {{ ref('stg_model__periods') }} as periods
        on outages.started_at < periods.period_end and outages.ended_at > periods.period_start
    group by all
),

has_outage_feed as (
    select count(*) > 0 as is_delivered from {{ ref('stg_outages__outages') }}
),

costs as (
    select * from {{ ref('fct_service_costs_monthly') }}
    where scenario_id = 'actual' and service_id not like '(%'
)

select
    costs.scenario_id,
    costs.period_id,
    costs.version,
    costs.service_id,
    coalesce(ticket_figures.incident_count, 0) as incident_count,
    coalesce(ticket_figures.request_count, 0) as request_count,
    coalesce(ticket_figures.change_count, 0) as change_count,
    coalesce(ticket_figures.ticket_count, 0) as ticket_count,
    {{ share_of('ticket_figures.response_met_count', 'ticket_figures.responded_count') }} as response_attainment_share,
    {{ share_of('ticket_figures.resolution_met_count', 'ticket_figures.resolved_count') }}
        as resolution_attainment_share,
    {{ share_of('ticket_figures.sla_met_count', 'ticket_figures.resolved_count') }} as sla_attainment_share,
    cast(ticket_figures.median_response_minutes as decimal(18, 1)) as median_response_minutes,
    cast(ticket_figures.median_resolution_minutes as decimal(18, 1)) as median_resolution_minutes,
    cast(ticket_figures.effort_minutes / 60.0 as decimal(18, 2)) as ticket_effort_hours,
    case when has_outage_feed.is_delivered then coalesce(outages.outage_minutes, 0) end as outage_minutes,
    case when has_outage_feed.is_delivered then coalesce(outages.planned_outage_minutes, 0) end
        as planned_outage_minutes,
    case
        when has_outage_feed.is_delivered
            then {{ share_of(
                "date_diff('minute', periods.period_start, periods.period_end) - coalesce(outages.outage_minutes, 0)",
                "date_diff('minute', periods.period_start, periods.period_end)"
            ) }}
    end as availability_share,
    {{ unit_rate(units_of_amount('costs.full_amount'), 'ticket_figures.ticket_count') }} as cost_per_ticket_amount
from costs
cross join has_outage_feed
inner join {{ ref('stg_model__periods') }} as periods on costs.period_id = periods.period_id
left join ticket_figures
    on costs.period_id = ticket_figures.period_id and costs.service_id = ticket_figures.service_id
left join outages on costs.period_id = outages.period_id and costs.service_id = outages.service_id
