-- Three comparisons that do not add up to the cost they compare would call a fair bill unfair.
-- Shapley values sum to the cost of the service, each lies between what a consumer adds and what it
-- would pay alone, and the bills are those of the charges.
with charged as (
    select
        scenario_id,
        period_id,
        version,
        service_id,
        cost_centre_id as consumer_id,
        sum(cost_amount) as charge_amount
    from {{ ref('fct_charges_monthly') }}
    group by all
),

sums as (
    select
        scenario_id,
        period_id,
        version,
        service_id,
        sum(bill_amount) as bill_amount,
        sum(shapley_amount) as shapley_amount,
        max(service_cost_amount) as service_cost_amount,
        bool_or(status_code in ('compared', 'dedicated')) as is_compared
    from {{ ref('rpt_fairness') }}
    group by all
)

select
    'sum' as what,
    scenario_id,
    period_id,
    service_id,
    cast(null as varchar) as consumer_id,
    shapley_amount as found_amount,
    service_cost_amount as expected_amount
from sums
where
    bill_amount is distinct from service_cost_amount
    or (is_compared and shapley_amount is distinct from service_cost_amount)
union all
select
    'order' as what,
    scenario_id,
    period_id,
    service_id,
    consumer_id,
    incremental_amount as found_amount,
    stand_alone_amount as expected_amount
from {{ ref('rpt_fairness') }}
where
    status_code in ('compared', 'dedicated')
    and (incremental_amount <= shapley_amount and shapley_amount <= stand_alone_amount) is distinct from true
union all
select
    'bill' as what,
    bills.scenario_id,
    bills.period_id,
    bills.service_id,
    bills.consumer_id,
    bills.bill_amount as found_amount,
    charged.charge_amount as expected_amount
from {{ ref('rpt_fairness') }} as bills
left join charged
    on bills.scenario_id = charged.scenario_id
    and bills.period_id = charged.period_id
    and bills.version = charged.version
    and bills.service_id = charged.service_id
    and bills.consumer_id = charged.consumer_id
where bills.consumer_kind = 'consumer' and bills.bill_amount is distinct from coalesce(charged.charge_amount, 0)
