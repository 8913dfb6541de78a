-- Where the year lands: actual to date plus the budget of the periods that are left.
with costs as (
    select
        costs.scenario_id,
        costs.period_id,
        periods.fiscal_year,
        costs.service_id,
        costs.service_name,
        costs.delivered_amount
    from {{ ref('fct_service_costs_monthly') }} as costs
    inner join {{ ref('stg_model__periods') }} as periods on costs.period_id = periods.period_id
),

last_actual as (
    select
        fiscal_year,
        max(period_id) as last_actual_period_id
    from costs
    where scenario_id = 'actual'
    group by all
)

select
    costs.fiscal_year,
    costs.service_id,
    max(costs.service_name) as service_name,
    coalesce(sum(costs.delivered_amount) filter (costs.scenario_id = 'actual'), 0) as actual_to_date_amount,
    coalesce(sum(costs.delivered_amount) filter (
        costs.scenario_id = 'budget' and costs.period_id <= last_actual.last_actual_period_id
    ), 0) as budget_to_date_amount,
    coalesce(sum(costs.delivered_amount) filter (
        costs.scenario_id = 'budget' and costs.period_id > last_actual.last_actual_period_id
    ), 0) as budget_rest_amount,
    coalesce(sum(costs.delivered_amount) filter (
        costs.scenario_id = 'actual'
        or (costs.scenario_id = 'budget' and costs.period_id > last_actual.last_actual_period_id)
    ), 0) as outlook_amount,
    coalesce(sum(costs.delivered_amount) filter (costs.scenario_id = 'budget'), 0) as budget_year_amount,
    max(last_actual.last_actual_period_id) as last_actual_period_id
from costs
inner join last_actual on costs.fiscal_year = last_actual.fiscal_year
group by costs.fiscal_year, costs.service_id
