-- What each business unit was charged, by the units of the time and by those of today.
with charges as (
    select * from {{ ref('fct_charges_monthly') }}
    where disposition = 'allocated'
),

sides as (
    select
        scenario_id,
        period_id,
        version,
        business_unit_id,
        business_unit_name,
        charged_amount as as_was_amount,
        case when business_unit_id <> business_unit_as_is_id then charged_amount else 0 end
            as moved_out_amount,
        0 as moved_in_amount,
        0 as as_is_amount
    from charges
    union all
    select
        scenario_id,
        period_id,
        version,
        business_unit_as_is_id as business_unit_id,
        business_unit_as_is_name as business_unit_name,
        0 as as_was_amount,
        0 as moved_out_amount,
        case when business_unit_id <> business_unit_as_is_id then charged_amount else 0 end
            as moved_in_amount,
        charged_amount as as_is_amount
    from charges
)

select
    scenario_id,
    period_id,
    version,
    business_unit_id,
    max(business_unit_name) as business_unit_name,
    cast(sum(as_was_amount) as decimal(38, 8)) as charged_as_was_amount,
    cast(sum(moved_out_amount) as decimal(38, 8)) as moved_out_amount,
    cast(sum(moved_in_amount) as decimal(38, 8)) as moved_in_amount,
    cast(sum(as_is_amount) as decimal(38, 8)) as charged_as_is_amount
from sides
group by scenario_id, period_id, version, business_unit_id
