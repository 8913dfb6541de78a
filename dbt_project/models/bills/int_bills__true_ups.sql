-- Over- and under-recovery of a fiscal year: in its last period each service gives back what it charged
-- above its cost, or charges what it charged below it, in proportion to what each consumer was charged
-- in the year. Consumers that are not known any more in that period have no bill for it to stand on.
with last_periods as (
    select
        periods.period_id,
        periods.fiscal_year
    from {{ ref('stg_model__periods') }} as periods
    cross join {{ ref('stg_model__settings') }} as settings
    where periods.fiscal_period = 12 and settings.true_up = 'year_end'
),

due as (
    select
        recovery.scenario_id,
        recovery.period_id,
        recovery.version,
        recovery.fiscal_year,
        recovery.service_id,
        {{ divide_integers(units_of_amount('-recovery.recovery_to_date_amount'), 1000000) }} as due_cents
    from {{ ref('fct_recovery_monthly') }} as recovery
    inner join last_periods on recovery.period_id = last_periods.period_id
    where recovery.recovery_to_date_amount <> 0
),

charged as (
    select
        due.scenario_id,
        due.period_id,
        due.version,
        due.fiscal_year,
        due.service_id,
        due.due_cents,
        charges.cost_centre_id,
        sum({{ divide_integers(units_of_amount('charges.amount'), 1000000) }}) as charged_cents
    from due
    inner join {{ ref('stg_model__periods') }} as periods on due.fiscal_year = periods.fiscal_year
    inner join {{ ref('int_bills__charges') }} as charges
        on due.scenario_id = charges.scenario_id
        and due.service_id = charges.service_id
        and periods.period_id = charges.period_id
    inner join {{ ref('int_consumers__known') }} as centres
        on due.period_id = centres.period_id and charges.cost_centre_id = centres.cost_centre_id
    group by all
    having charged_cents > 0
),

ranges as (
    select
        *,
        {{ weight_ranges('charged_cents', 'scenario_id, period_id, version, service_id', 'cost_centre_id') }}
    from charged
),

parts as (
    select
        *,
        {{ allocate_by_driver('due_cents', 'weight_from', 'weight_to', 'weight_total') }} as cents
    from ranges
)

select
    scenario_id,
    period_id,
    version,
    md5(concat_ws('|', 'true_up', scenario_id, period_id, version, service_id, cost_centre_id)) as bill_item_id,
    'true_up' as item_kind,
    service_id,
    cost_centre_id,
    period_id as origin_period_id,
    version as origin_version,
    cast(null as varchar) as origin_charge_id,
    cast(null as varchar) as reference_id,
    case when due_cents < 0 then 'Over-recovery' else 'Under-recovery' end
    || ' of the fiscal year ' || fiscal_year
    || case when due_cents < 0 then ' given back' else ' charged' end as reason,
    {{ cents_to_amount('cents') }} as amount
from parts
where cents <> 0
