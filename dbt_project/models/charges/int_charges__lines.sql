-- Charge lines, where cents are made, once: the period's control total in cents is handed to the
-- services by largest remainder, each service's cents to its lines the same way. Ties are broken by
-- md5, which does not depend on the version of the database.
{% set unit = 1000000 %}
with lines as (
    select
        scenario_id,
        period_id,
        version,
        service_id,
        cost_centre_id,
        disposition,
        sum(amount_units) as amount_units,
        sum(estimated_or_worse_units) as estimated_or_worse_units,
        sum(stale_or_worse_units) as stale_or_worse_units,
        sum(fallback_units) as fallback_units
    from {{ ref('int_consumers__cells') }}
    group by all
),

line_floors as (
    select
        *,
        (amount_units - ((amount_units % {{ unit }}) + {{ unit }}) % {{ unit }}) // {{ unit }} as floor_cents,
        ((amount_units % {{ unit }}) + {{ unit }}) % {{ unit }} as remainder_units,
        md5(concat_ws('|', period_id, service_id, cost_centre_id, disposition)) as tie_breaker
    from lines
),

services as (
    select
        scenario_id,
        period_id,
        version,
        service_id,
        sum(amount_units) as amount_units
    from lines
    group by all
),

service_floors as (
    select
        *,
        (amount_units - ((amount_units % {{ unit }}) + {{ unit }}) % {{ unit }}) // {{ unit }} as floor_cents,
        ((amount_units % {{ unit }}) + {{ unit }}) % {{ unit }} as remainder_units,
        md5(concat_ws('|', period_id, service_id)) as tie_breaker
    from services
),

control_cents as (
    select
        scenario_id,
        period_id,
        version,
        {{ divide_integers('sum(amount_units)', unit) }} as control_cents
    from {{ ref('int_ledger__control_totals') }}
    group by all
),

service_cents as (
    select
        service_floors.*,
        row_number() over (
            partition by scenario_id, period_id, version
            order by remainder_units desc, tie_breaker asc
        ) as service_rank,
        control_cents.control_cents
        - sum(floor_cents) over (partition by scenario_id, period_id, version) as open_service_cents,
        floor_cents + case when service_rank <= open_service_cents then 1 else 0 end as service_cents
    from service_floors
    inner join control_cents using (scenario_id, period_id, version)
),

line_cents as (
    -- Names of its own: a bare name that service_cents has as well would be that column.
    select
        line_floors.*,
        row_number() over (
            partition by scenario_id, period_id, version, service_id
            order by line_floors.remainder_units desc, line_floors.tie_breaker asc
        ) as line_rank,
        service_cents.service_cents
        - sum(line_floors.floor_cents) over (partition by scenario_id, period_id, version, service_id)
            as open_line_cents,
        line_floors.floor_cents + case when line_rank <= open_line_cents then 1 else 0 end as cost_cents
    from line_floors
    inner join service_cents using (scenario_id, period_id, version, service_id)
)

select
    scenario_id,
    period_id,
    version,
    service_id,
    cost_centre_id,
    disposition,
    amount_units,
    estimated_or_worse_units,
    stale_or_worse_units,
    fallback_units,
    cost_cents,
    {{ cents_of_part('estimated_or_worse_units', 'amount_units', 'cost_cents') }} as estimated_or_worse_cents,
    {{ cents_of_part('stale_or_worse_units', 'amount_units', 'cost_cents') }} as stale_or_worse_cents,
    {{ cents_of_part('fallback_units', 'amount_units', 'cost_cents') }} as fallback_cents
from line_cents
