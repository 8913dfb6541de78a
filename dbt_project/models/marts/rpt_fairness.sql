with charges as (
    select
        scenario_id,
        period_id,
        version,
        service_id,
        cost_centre_id,
        min(cost_centre_name) as cost_centre_name,
        min(business_unit_id) as business_unit_id,
        min(business_unit_name) as business_unit_name
    from {{ ref('fct_charges_monthly') }}
    group by all
)

select
    bills.scenario_id,
    bills.period_id,
    bills.version,
    bills.service_id,
    coalesce(services.service_name, bills.service_id) as service_name,
    bills.consumer_kind,
    bills.consumer_id,
    coalesce(charges.cost_centre_name, consumers.service_name, bills.consumer_id) as consumer_name,
    charges.business_unit_id,
    charges.business_unit_name,
    cast(bills.consumer_count as integer) as consumer_count,
    bills.status_code,
    bills.verdict_code,
    cast(bills.quantity as decimal(38, 12)) as quantity,
    bills.unit_code,
    {{ cents_to_amount('bills.bill_cents') }} as bill_amount,
    {{ cents_to_amount('bills.incremental_cents') }} as incremental_amount,
    {{ cents_to_amount('bills.stand_alone_cents') }} as stand_alone_amount,
    {{ cents_to_amount('bills.shapley_cents') }} as shapley_amount,
    {{ cents_to_amount('bills.dedicated_cents') }} as dedicated_amount,
    {{ cents_to_amount('bills.service_cents') }} as service_cost_amount,
    {{ cents_to_amount('bills.fixed_cents') }} as service_fixed_amount,
    {{ cents_to_amount('bills.variable_cents') }} as service_variable_amount,
    {{ cents_to_amount('bills.all_dedicated_cents') }} as service_dedicated_amount,
    {{ cents_to_amount('bills.undeclared_cents') }} as service_undeclared_amount
from {{ ref('int_fairness__bills') }} as bills
left join charges
    on bills.consumer_kind = 'consumer'
    and bills.scenario_id = charges.scenario_id
    and bills.period_id = charges.period_id
    and bills.version = charges.version
    and bills.service_id = charges.service_id
    and bills.consumer_id = charges.cost_centre_id
left join {{ ref('dim_services') }} as services on bills.service_id = services.service_id
left join {{ ref('dim_services') }} as consumers
    on bills.consumer_kind = 'service' and bills.consumer_id = consumers.service_id
