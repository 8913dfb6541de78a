-- Service quality beside the cost: tickets against their SLA, outages against the clock.
with ticket_figures as (
    select
        period_id,
        service_id,
        count(*) filter (ticket_type = 'incident') as incident_count,
        count(*) filter (ticket_type = 'request') as request_count,
        count(*) filter (ticket_type = 'change') as change_count,
        count(*) as ticket_count,
        count(is_response_met) as response_judged_count,
        count(*) filter (is_response_met) as response_met_count,
        count(is_resolution_met) as resolution_judged_count,
        count(*) filter (is_resolution_met) as resolution_met_count,
        count(is_sla_met) as sla_judged_count,
        count(*) filter (is_sla_met) as sla_met_count,
        count(*) filter (is_delivered_sla_met <> is_computed_sla_met) as sla_difference_count,
        median(response_seconds / 60) as median_response_minutes,
        median(resolution_seconds / 60) as median_resolution_minutes,
        sum(effort_minutes) as effort_minutes
    from {{ ref('int_service_quality__tickets') }}
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

actual_periods as (
    select * from {{ ref('stg_model__period_versions') }}
    where scenario_id = 'actual'
),

-- A service without cost may still have tickets and outages.
figures as (
    select
        period_id,
        service_id
    from ticket_figures
    union
    select
        period_id,
        service_id
    from outages
),

services as (
    select
        scenario_id,
        period_id,
        version,
        service_id
    from {{ ref('fct_service_costs_monthly') }}
    where scenario_id = 'actual' and service_id not like '(%'
    union
    select
        actual_periods.scenario_id,
        actual_periods.period_id,
        actual_periods.version,
        figures.service_id
    from actual_periods
    inner join figures on actual_periods.period_id = figures.period_id
),

support_costs as (
    select
        cells.period_id,
        cells.service_id,
        sum(cells.amount_units) as support_units
    from {{ ref('int_services__cells') }} as cells
    inner join {{ ref('stg_model__towers') }} as towers on cells.tower_id = towers.tower_id
    where cells.scenario_id = 'actual' and towers.handles_tickets
    group by all
)

select
    services.scenario_id,
    services.period_id,
    services.version,
    services.service_id,
    coalesce(ticket_figures.incident_count, 0) as incident_count,
    coalesce(ticket_figures.request_count, 0) as request_count,
    coalesce(ticket_figures.change_count, 0) as change_count,
    coalesce(ticket_figures.ticket_count, 0) as ticket_count,
    coalesce(ticket_figures.sla_judged_count, 0) as sla_judged_count,
    coalesce(ticket_figures.sla_met_count, 0) as sla_met_count,
    coalesce(ticket_figures.sla_difference_count, 0) as sla_difference_count,
    {{ share_of('ticket_figures.response_met_count', 'ticket_figures.response_judged_count') }}
        as response_attainment_share,
    {{ share_of('ticket_figures.resolution_met_count', 'ticket_figures.resolution_judged_count') }}
        as resolution_attainment_share,
    {{ share_of('ticket_figures.sla_met_count', 'ticket_figures.sla_judged_count') }} as sla_attainment_share,
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
    case
        when support_costs.support_units <> 0
            then {{ unit_rate('support_costs.support_units', 'ticket_figures.ticket_count') }}
    end as support_cost_per_ticket_amount
from services
cross join has_outage_feed
inner join {{ ref('stg_model__periods') }} as periods on services.period_id = periods.period_id
left join ticket_figures
    on services.period_id = ticket_figures.period_id and services.service_id = ticket_figures.service_id
left join outages on services.period_id = outages.period_id and services.service_id = outages.service_id
left join support_costs
    on services.period_id = support_costs.period_id and services.service_id = support_costs.service_id
