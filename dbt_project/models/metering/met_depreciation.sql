-- Straight-line depreciation of every asset in every period of its life. A month is the step of one
-- rounded running total that ends at the amount to depreciate, so that the months sum to it exactly,
-- in whole minor units of the currency. By the convention `full_month` the month of the first day in
-- use counts whole, by `by_day` each day of use. Useful lives are months of the civil calendar, and
-- may have begun before the fiscal one. A retired asset has no month that begins after its last day;
-- what is left of its book value then is no depreciation.
with assets as (
    select
        assets.*,
        coalesce(feeds.depreciation_convention, 'full_month') as convention_code,
        {{ decimal_to_integer('assets.purchase_amount_local - assets.residual_amount_local', 12) }} as depreciable,
        cast(power(10, 12 - coalesce(minor_units.digits, 2)) as hugeint) as minor_unit,
        assets.in_service_date + to_months(cast(assets.useful_life_months as integer)) as life_end
    from {{ ref('stg_assets__assets') }} as assets
    left join {{ ref('stg_model__feeds') }} as feeds on assets.source_id = feeds.source_id
    left join {{ ref('stg_model__minor_units') }} as minor_units on assets.currency_code = minor_units.currency_code
    where assets.scenario_id in ('actual', 'restated')
),

months as (
    select
        assets.*,
        periods.period_id,
        case assets.convention_code
            when 'by_day' then date_diff('day', assets.in_service_date, periods.period_start)
            else date_diff('month', assets.in_service_date, periods.period_start)
        end as count_from,
        case assets.convention_code
            when 'by_day'
                then date_diff(
                    'day',
                    assets.in_service_date,
                    least(periods.period_end, coalesce(assets.retired_date, periods.period_end))
                )
            else date_diff('month', assets.in_service_date, periods.period_start) + 1
        end as count_to,
        case assets.convention_code
            when 'by_day' then date_diff('day', assets.in_service_date, cast(assets.life_end as date))
            else assets.useful_life_months
        end as count_total
    from assets
    inner join {{ ref('stg_model__periods') }} as periods
        on assets.in_service_date < periods.period_end
        and (assets.retired_date is null or assets.retired_date > periods.period_start)
        and {{ counts_in_period('assets', 'periods') }}
),

counted as (
    select
        * exclude (count_from, count_to),
        cast(least(greatest(count_from, 0), count_total) as hugeint) as count_from,
        cast(least(greatest(count_to, 0), count_total) as hugeint) as count_to
    from months
),

rounded as (
    select
        *,
        {{ allocate_by_driver('depreciable', 'count_from', 'count_to', 'count_total', 'minor_unit') }} as depreciation,
        {{ allocate_by_driver('depreciable', '0', 'count_to', 'count_total', 'minor_unit') }} as accumulated
    from counted
    where count_to > count_from
)

select
    scenario_id,
    period_id,
    source_id,
    asset_id,
    asset_name,
    asset_class,
    legal_entity_id,
    cost_centre_id,
    convention_code,
    in_service_date,
    useful_life_months,
    currency_code,
    purchase_amount_local,
    residual_amount_local,
    {{ integer_to_decimal('depreciation') }} as depreciation_amount_local,
    {{ integer_to_decimal('accumulated') }} as accumulated_amount_local,
    file_id,
    row_number
from rounded
