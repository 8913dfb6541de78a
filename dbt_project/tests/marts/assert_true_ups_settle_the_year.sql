-- A true-up that gives back more or less than was over-recovered opens the next year with somebody's
-- money. A service that charged nobody in the year has nobody to settle with, and keeps its recovery.
with due as (
    select
        recovery.scenario_id,
        recovery.period_id,
        recovery.version,
        recovery.service_id,
        recovery.fiscal_year,
        -recovery.recovery_to_date_amount as due_amount
    from {{ ref('fct_recovery_monthly') }} as recovery
    inner join {{ ref('stg_model__periods') }} as periods
        on recovery.period_id = periods.period_id and periods.fiscal_period = 12
    cross join {{ ref('stg_model__settings') }} as settings
    where settings.true_up = 'year_end' and recovery.recovery_to_date_amount <> 0
),

settled as (
    select *
    from {{ ref('fct_bill_items_monthly') }}
    where item_kind = 'true_up'
),

-- Who can settle: consumers that were charged in the year and are known in its last period.
debtors as (
    select
        charges.scenario_id,
        charges.service_id,
        periods.fiscal_year,
        charges.cost_centre_id
    from {{ ref('int_bills__charges') }} as charges
    inner join {{ ref('stg_model__periods') }} as periods on charges.period_id = periods.period_id
    inner join {{ ref('stg_model__periods') }} as last_periods
        on periods.fiscal_year = last_periods.fiscal_year and last_periods.fiscal_period = 12
    inner join {{ ref('int_consumers__known') }} as centres
        on last_periods.period_id = centres.period_id and charges.cost_centre_id = centres.cost_centre_id
    group by all
    having sum(charges.amount) > 0
),

owed as (
    select due.*
    from due
    semi join debtors
        on due.scenario_id = debtors.scenario_id
        and due.service_id = debtors.service_id
        and due.fiscal_year = debtors.fiscal_year
)

{# The comparison is a query with CTEs of its own. #}
select compared.*
from ({{ compare_amounts(
    'owed', 'settled', ['service_id'], arrived_units='due_amount', left_units='amount',
) }}) as compared
