-- A line or service that is rounded by a cent or more pays for the rounding of another.
with services as (
    select
        scenario_id,
        period_id,
        version,
        service_id,
        '(all)' as cost_centre_id,
        '(all)' as disposition,
        sum(amount_units) as amount_units,
        sum(cost_cents) as cost_cents
    from {{ ref('int_charges__lines') }}
    group by scenario_id, period_id, version, service_id
),

together as (
    select * from {{ ref('int_charges__lines') }}
    union all by name
    select * from services
)

select
    scenario_id,
    period_id,
    version,
    service_id,
    cost_centre_id,
    disposition,
    amount_units,
    cost_cents * 1000000 as rounded_units,
    cost_cents * 1000000 - amount_units as difference_units
from together
where coalesce(abs(cost_cents * 1000000 - amount_units) >= 1000000, true)
