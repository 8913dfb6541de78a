-- What a consumer is charged for a service that is not charged at its cost: one row per charge line,
-- and one for each consumer that has a quantity and no cost. Prices are exact until the cents: a price
-- has 10 decimals and a quantity 12, so that all is counted in integers of 10^-22 ("parts"), and
-- rounded once, half away from zero.
with policies as (
    select * from {{ ref('int_charges__policies') }}
    where charging_policy in ('cost_plus', 'rate', 'market', 'fixed')
),

settings as (
    select * from {{ ref('stg_model__settings') }}
),

cost_lines as (
    select
        scenario_id,
        period_id,
        version,
        service_id,
        cost_centre_id,
        cost_cents
    from {{ ref('int_charges__lines') }}
    where disposition = 'allocated'
),

quantities as (
    select
        scenario_id,
        period_id,
        version,
        service_id,
        receiver_id as cost_centre_id,
        quantity,
        weight
    from {{ ref('int_charges__quantities') }}
    where receiver_disposition = 'allocated'
),

keys as (
    select
        scenario_id,
        period_id,
        version,
        service_id,
        cost_centre_id
    from cost_lines
    union
    select
        scenario_id,
        period_id,
        version,
        service_id,
        cost_centre_id
    from quantities
),

lines as (
    select
        keys.*,
        policies.charging_policy,
        policies.percent,
        policies.fixed_amount,
        policies.fixed_per,
        cost_lines.cost_cents is not null as has_cost_line,
        coalesce(cost_lines.cost_cents, 0) as cost_cents,
        quantities.quantity,
        coalesce(quantities.weight, 0) as weight,
        {{ decimal_to_integer('coalesce(quantities.quantity, 0)', 12) }} as quantity_parts
    from keys
    inner join policies using (period_id, service_id)
    left join cost_lines using (scenario_id, period_id, version, service_id, cost_centre_id)
    left join quantities using (scenario_id, period_id, version, service_id, cost_centre_id)
    where policies.charging_policy <> 'cost_plus' or cost_lines.cost_cents is not null
),

-- Of a quantity that is another one than was delivered (a what-if) the same part is at peak.
peaks as (
    select
        usage.scenario_id,
        usage.period_id,
        usage.service_id,
        usage.receiver_id as cost_centre_id,
        {{ decimal_to_integer('sum(usage.quantity)', 12) }} as delivered_parts,
        {{ decimal_to_integer('sum(usage.peak_quantity)', 12) }} as peak_parts
    from {{ ref('met_service_usage') }} as usage
    inner join {{ ref('stg_model__services') }} as services
        on usage.service_id = services.service_id and usage.unit_code = services.unit_code
    inner join {{ ref('stg_model__drivers') }} as drivers
        on services.driver_id = drivers.driver_id and drivers.driver_kind = 'service_usage'
    where usage.receiver_kind = 'consumer'
    group by all
    having sum(usage.peak_quantity) <> 0
),

prices as (
    select
        periods.period_id,
        rate_card.service_id,
        rate_card.price_id,
        rate_card.tier_mode,
        rate_card.tier_number,
        {{ decimal_to_integer('rate_card.from_quantity', 12) }} as from_parts,
        {{ decimal_to_integer('rate_card.unit_price_rate', 10) }} as price_parts,
        {{ decimal_to_integer('rate_card.peak_price_rate', 10) }} as peak_price_parts,
        {{ decimal_to_integer('rate_card.base_fee_amount', 10) }} * 1000000000000 as base_fee_parts,
        {{ decimal_to_integer('rate_card.minimum_amount', 10) }} * 1000000000000 as minimum_parts,
        {{ decimal_to_integer('rate_card.maximum_amount', 10) }} * 1000000000000 as maximum_parts
    from {{ ref('stg_model__rate_card') }} as rate_card
    inner join {{ ref('stg_model__periods') }} as periods
        on {{ is_valid_in_period('rate_card', 'periods') }}
),

tiers as (
    select
        *,
        lead(from_parts) over (partition by period_id, price_id order by tier_number) as to_parts
    from prices
),

banded as (
    select
        lines.*,
        prices.peak_price_parts,
        prices.base_fee_parts,
        prices.minimum_parts,
        prices.maximum_parts,
        case
            when prices.peak_price_parts is null or peaks.peak_parts is null then cast(0 as hugeint)
            when lines.quantity_parts = peaks.delivered_parts then peaks.peak_parts
            else
                sign(peaks.delivered_parts) * sign(peaks.peak_parts) * {{ multiply_and_divide(
                    'lines.quantity_parts', 'abs(peaks.peak_parts)', 'greatest(abs(peaks.delivered_parts), 1)'
                ) }}
        end as at_peak_parts,
        lines.quantity_parts - at_peak_parts as standard_parts
    from lines
    inner join prices
        on lines.charging_policy in ('rate', 'market')
        and lines.period_id = prices.period_id
        and lines.service_id = prices.service_id
        and prices.tier_number = 1
    left join peaks
        on lines.scenario_id = peaks.scenario_id
        and lines.period_id = peaks.period_id
        and lines.service_id = peaks.service_id
        and lines.cost_centre_id = peaks.cost_centre_id
),

-- What is not at peak goes through the tiers; a credit is worth what the same use would cost.
unit_prices as (
    select
        banded.scenario_id,
        banded.period_id,
        banded.version,
        banded.service_id,
        banded.cost_centre_id,
        sum(
            sign(banded.standard_parts) * tiers.price_parts
            * case tiers.tier_mode
                when 'graduated'
                    then
                        least(abs(banded.standard_parts), coalesce(tiers.to_parts, abs(banded.standard_parts)))
                        - tiers.from_parts
                else abs(banded.standard_parts)
            end
        ) as tier_parts
    from banded
    inner join tiers
        on banded.period_id = tiers.period_id
        and banded.service_id = tiers.service_id
        and abs(banded.standard_parts) >= tiers.from_parts
        and (
            tiers.tier_mode = 'graduated'
            or tiers.to_parts is null
            or abs(banded.standard_parts) < tiers.to_parts
        )
    group by all
),

-- The minimum is due from who used something, the base fee and the maximum hold for everybody.
by_rate_card as (
    select
        banded.scenario_id,
        banded.period_id,
        banded.version,
        banded.service_id,
        banded.cost_centre_id,
        banded.base_fee_parts
        + unit_prices.tier_parts
        + banded.at_peak_parts * coalesce(banded.peak_price_parts, 0) as open_parts,
        case
            when banded.quantity_parts > 0 then greatest(open_parts, coalesce(banded.minimum_parts, open_parts))
            else open_parts
        end as least_parts,
        least(least_parts, coalesce(banded.maximum_parts, least_parts)) as exact_parts
    from banded
    inner join unit_prices using (scenario_id, period_id, version, service_id, cost_centre_id)
),

-- An agreed amount of a period is money, and divided like it: no cent is lost or made.
shares as (
    select
        *,
        {{ weight_ranges('weight', 'scenario_id, period_id, version, service_id', 'cost_centre_id') }}
    from lines
    where charging_policy = 'fixed' and fixed_per = 'period' and weight > 0
),

share_cents as (
    select
        scenario_id,
        period_id,
        version,
        service_id,
        cost_centre_id,
        {{ allocate_by_driver(
            divide_integers(units_of_amount('fixed_amount'), 1000000), 'weight_from', 'weight_to', 'weight_total'
        ) }} as cents
    from shares
),

exact as (
    select
        lines.*,
        case
            when lines.charging_policy = 'cost_plus'
                then
                    lines.cost_cents
                    * (1000000000000 + {{ decimal_to_integer('lines.percent', 10) }})
                    * (settings.price_parts_per_cent // 1000000000000)
            when lines.charging_policy in ('rate', 'market') then by_rate_card.exact_parts
            when lines.fixed_per = 'consumer'
                then {{ decimal_to_integer('lines.fixed_amount', 10) }} * 1000000000000
            when lines.fixed_per = 'period'
                then coalesce(share_cents.cents, 0) * settings.price_parts_per_cent
        end as exact_parts
    from lines
    cross join settings
    left join by_rate_card using (scenario_id, period_id, version, service_id, cost_centre_id)
    left join share_cents using (scenario_id, period_id, version, service_id, cost_centre_id)
)

select
    exact.scenario_id,
    exact.period_id,
    exact.version,
    exact.service_id,
    exact.cost_centre_id,
    exact.charging_policy,
    exact.has_cost_line,
    exact.quantity,
    exact.exact_parts,
    {{ divide_integers('exact.exact_parts', 'settings.price_parts_per_cent') }} as charged_cents,
    case
        when exact.quantity_parts <> 0
            then {{ integer_to_decimal(
                divide_integers('exact.exact_parts * sign(exact.quantity_parts)', 'abs(exact.quantity_parts)'), 10
            ) }}
    end as price_rate
from exact
cross join settings
