-- Direct and delivered both sum to the ledger; full cost serves the unit cost and is never summed.
with direct as (
    select
        scenario_id,
        period_id,
        version,
        service_id,
        sum(amount_units) as direct_units
    from {{ ref('int_services__cells') }}
    group by all
),

untagged as (
    select
        scenario_id,
        period_id,
        version,
        service_id,
        sum(amount_units) as direct_units
    from {{ ref('int_services__cells') }}
    where disposition = 'allocated' and tagged_consumer_id is null
    group by all
),

tagged as (
    select
        scenario_id,
        period_id,
        version,
        service_id,
        sum(amount_units) as tagged_units
    from {{ ref('int_services__cells') }}
    where disposition = 'allocated' and tagged_consumer_id is not null
    group by all
),

gross as (
    select
        untagged.scenario_id,
        untagged.period_id,
        untagged.version,
        weights.to_service_id as service_id,
        sum({{ multiply_and_divide(
            'untagged.direct_units', 'cast(weights.gross_weight as hugeint)', '1000000000000000'
        ) }}) as full_units
    from untagged
    inner join {{ ref('int_delivered_services__weights') }} as weights
        on untagged.scenario_id = weights.scenario_id
        and untagged.period_id = weights.period_id
        and untagged.version = weights.version
        and untagged.service_id = weights.from_service_id
    group by all
),

-- What a service uses of itself is no output: unit cost is full cost per unit that others use, or
-- that they could have used, where the service splits by its capacity.
quantities as (
    select
        scenario_id,
        period_id,
        version,
        service_id,
        sum(quantity) filter (receiver_kind <> 'idle') as quantity,
        sum(quantity) as available_quantity,
        max(unit_code) as unit_code
    from {{ ref('int_delivered_services__use') }}
    where receiver_kind <> 'service' or receiver_id <> service_id
    group by all
),

charged as (
    select
        scenario_id,
        period_id,
        version,
        service_id,
        sum(cost_amount) as delivered_amount,
        sum(charged_amount) as charged_amount,
        sum(cost_amount) filter (disposition = 'idle') as idle_amount
    from {{ ref('fct_charges_monthly') }}
    group by all
),

services as (
    select * from {{ ref('dim_services') }}
),

keys as (
    select
        scenario_id,
        period_id,
        version,
        service_id
    from direct
    union
    select
        scenario_id,
        period_id,
        version,
        service_id
    from charged
)

select
    scenario_id,
    period_id,
    version,
    service_id,
    coalesce(services.service_name, service_id) as service_name,
    {{ units_to_amount('coalesce(direct.direct_units, 0)') }} as direct_amount,
    cast(coalesce(charged.delivered_amount, 0) as decimal(28, 2)) as delivered_amount,
    {{ units_to_amount('coalesce(gross.full_units, 0) + coalesce(tagged.tagged_units, 0)') }} as full_amount,
    cast(coalesce(charged.charged_amount, 0) as decimal(28, 2)) as charged_amount,
    cast(coalesce(charged.idle_amount, 0) as decimal(28, 2)) as idle_amount,
    quantities.quantity,
    coalesce(quantities.unit_code, services.unit_code) as unit_code,
    {{ unit_rate(
        '(coalesce(gross.full_units, 0) + coalesce(tagged.tagged_units, 0))', 'quantities.available_quantity'
    ) }} as unit_cost
from keys
left join direct using (scenario_id, period_id, version, service_id)
left join gross using (scenario_id, period_id, version, service_id)
left join tagged using (scenario_id, period_id, version, service_id)
left join quantities using (scenario_id, period_id, version, service_id)
left join charged using (scenario_id, period_id, version, service_id)
left join services using (service_id)
