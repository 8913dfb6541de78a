-- Who bears a service: those who use it, and those who are named by a line of its cost.
with dedicated as (
    select
        scenario_id,
        period_id,
        version,
        service_id,
        tagged_consumer_id as consumer_id,
        sum(amount_units) as dedicated_units
    from {{ ref('int_services__cells') }}
    where disposition = 'allocated' and tagged_consumer_id is not null
    group by all
),

use as (
    select
        scenario_id,
        period_id,
        version,
        service_id,
        -- A consumer or service that no master knows is one all the same.
        case when receiver_kind = 'unmapped' then 'consumer' else receiver_kind end as consumer_kind,
        receiver_id as consumer_id,
        sum(weight) as weight,
        sum(quantity) as quantity,
        max(unit_code) as unit_code
    from {{ ref('int_delivered_services__use') }}
    where receiver_kind <> 'service' or receiver_id <> service_id
    group by all
),

together as (
    select
        scenario_id,
        period_id,
        version,
        service_id,
        coalesce(use.consumer_kind, 'consumer') as consumer_kind,
        consumer_id,
        coalesce(use.weight, 0) as weight,
        use.quantity,
        use.unit_code,
        coalesce(dedicated.dedicated_units, 0) as dedicated_units
    from use
    full outer join dedicated using (scenario_id, period_id, version, service_id, consumer_id)
),

charged as (
    select
        scenario_id,
        period_id,
        version,
        service_id,
        cost_centre_id as consumer_id,
        sum(amount_units) as charge_units,
        sum(cost_cents) as charge_cents
    from {{ ref('int_charges__lines') }}
    group by all
)

select
    together.*,
    coalesce(charged.charge_units, 0) as charge_units,
    coalesce(charged.charge_cents, 0) as charge_cents
from together
left join charged
    on together.consumer_kind <> 'service'
    and together.scenario_id = charged.scenario_id
    and together.period_id = charged.period_id
    and together.version = charged.version
    and together.service_id = charged.service_id
    and together.consumer_id = charged.consumer_id
