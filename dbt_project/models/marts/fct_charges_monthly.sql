-- One charge line per service and consumer. Cents of cost come from int_charges__lines and nowhere
-- else, those of a price from int_charges__prices; a price may be due where there is no cost.
with prices as (
    select * from {{ ref('int_charges__prices') }}
),

lines as (
    select * from {{ ref('int_charges__lines') }}
    union all by name
    select
        scenario_id,
        period_id,
        version,
        service_id,
        cost_centre_id,
        'allocated' as disposition,
        cast(0 as hugeint) as amount_units,
        cast(0 as hugeint) as estimated_or_worse_units,
        cast(0 as hugeint) as stale_or_worse_units,
        cast(0 as hugeint) as fallback_units,
        cast(0 as hugeint) as cost_cents,
        cast(0 as hugeint) as estimated_or_worse_cents,
        cast(0 as hugeint) as stale_or_worse_cents,
        cast(0 as hugeint) as fallback_cents
    from prices
    where not has_cost_line
),

as_was as (
    select * from {{ ref('int_consumers__cost_centres') }}
),

as_is as (
    select * from {{ ref('dim_cost_centres') }}
    where is_current
),

use as (
    select * from {{ ref('int_charges__quantities') }}
),

charges as (
    select
        lines.*,
        case
            when lines.disposition <> 'allocated' or policies.charging_policy = 'showback' then 0
            when coalesce(policies.charging_policy, 'at_cost') = 'at_cost' then lines.cost_cents
            else prices.charged_cents
        end as charged_cents,
        prices.price_rate,
        coalesce(policies.charging_policy, 'at_cost') as charging_policy,
        coalesce(services.service_name, lines.service_id) as service_name
    from lines
    left join {{ ref('dim_services') }} as services on lines.service_id = services.service_id
    left join {{ ref('int_charges__policies') }} as policies
        on lines.period_id = policies.period_id and lines.service_id = policies.service_id
    left join prices
        on lines.disposition = 'allocated'
        and lines.scenario_id = prices.scenario_id
        and lines.period_id = prices.period_id
        and lines.version = prices.version
        and lines.service_id = prices.service_id
        and lines.cost_centre_id = prices.cost_centre_id
)

select
    charges.scenario_id,
    charges.period_id,
    charges.version,
    md5(concat_ws(
        '|', charges.scenario_id, charges.period_id, charges.version, charges.service_id, charges.cost_centre_id,
        charges.disposition
    )) as charge_id,
    charges.service_id,
    charges.service_name,
    charges.cost_centre_id,
    coalesce(as_was.cost_centre_name, charges.cost_centre_id) as cost_centre_name,
    coalesce(as_was.business_unit_id, '(' || charges.disposition || ')') as business_unit_id,
    coalesce(as_was.business_unit_name, '(' || charges.disposition || ')') as business_unit_name,
    as_was.division_name,
    as_was.legal_entity_id,
    coalesce(as_is.business_unit_id, '(' || charges.disposition || ')') as business_unit_as_is_id,
    coalesce(as_is.business_unit_name, '(' || charges.disposition || ')') as business_unit_as_is_name,
    charges.disposition,
    charges.charging_policy,
    use.driver_id,
    drivers.driver_name,
    use.driver_quality,
    use.quantity,
    use.unit_code,
    {{ unit_rate('charges.amount_units', 'use.quantity') }} as unit_rate,
    charges.price_rate,
    {{ cents_to_amount('charges.cost_cents') }} as cost_amount,
    {{ cents_to_amount('charges.charged_cents') }} as charged_amount,
    {{ cents_to_amount('(charges.cost_cents - charges.estimated_or_worse_cents)') }} as measured_amount,
    {{ cents_to_amount('(charges.estimated_or_worse_cents - charges.stale_or_worse_cents)') }} as estimated_amount,
    {{ cents_to_amount('(charges.stale_or_worse_cents - charges.fallback_cents)') }} as stale_amount,
    {{ cents_to_amount('charges.fallback_cents') }} as fallback_amount,
    charges.amount_units
from charges
left join use
    on charges.scenario_id = use.scenario_id
    and charges.period_id = use.period_id
    and charges.version = use.version
    and charges.service_id = use.service_id
    and charges.cost_centre_id = use.receiver_id
left join {{ ref('stg_model__drivers') }} as drivers on use.driver_id = drivers.driver_id
left join as_was
    on charges.disposition = 'allocated'
    and charges.cost_centre_id = as_was.cost_centre_id
    and charges.period_id = as_was.period_id
left join as_is on charges.disposition = 'allocated' and charges.cost_centre_id = as_is.cost_centre_id
