-- A month that is too much or missing in a schedule would make an asset cost more or less than was paid
-- for it. What is accumulated is compared with the months before (of one schedule: where a register came
-- corrected, closed periods keep the one before); at the end of its life an asset has
-- no more left than its residual value. Schedules that began before the calendar are seen in part.
with months as (
    select
        months.*,
        lag(months.accumulated_amount_local) over (
            partition by
                months.scenario_id, months.source_id, months.asset_id, months.purchase_amount_local,
                months.residual_amount_local, months.useful_life_months, months.in_service_date
            order by months.period_id
        ) as previous_local,
        periods.period_end,
        cast(in_service_date + to_months(cast(useful_life_months as integer)) as date) as life_end
    from {{ ref('fct_depreciation_monthly') }} as months
    inner join {{ ref('stg_model__periods') }} as periods on months.period_id = periods.period_id
)

select
    scenario_id,
    period_id,
    source_id,
    asset_id,
    depreciation_amount_local,
    accumulated_amount_local,
    previous_local,
    purchase_amount_local - residual_amount_local - accumulated_amount_local as left_local
from months
where
    accumulated_amount_local - previous_local is distinct from
    case when previous_local is not null then depreciation_amount_local end
    or (
        life_end <= period_end
        and convention_code = 'full_month'
        and accumulated_amount_local is distinct from purchase_amount_local - residual_amount_local
    )
    or abs(accumulated_amount_local) > abs(purchase_amount_local - residual_amount_local)
