-- What a service is charged at in each period: its policy, and the price in force with its tiers. The
-- rate card may hold prices of services that are not charged by them; those are no price of the period.
with versions as (
    select * from {{ ref('stg_model__period_versions') }}
),

policies as (
    select * from {{ ref('int_charges__policies') }}
),

prices as (
    select
        rate_card.*,
        periods.period_id
    from {{ ref('stg_model__rate_card') }} as rate_card
    inner join {{ ref('stg_model__periods') }} as periods
        on {{ is_valid_in_period('rate_card', 'periods') }}
)

select
    versions.scenario_id,
    versions.period_id,
    versions.version,
    policies.service_id,
    coalesce(services.service_name, policies.service_id) as service_name,
    policies.charging_policy,
    coalesce(prices.unit_code, services.unit_code) as unit_code,
    prices.price_id,
    prices.tier_mode,
    coalesce(prices.tier_number, 1) as tier_number,
    prices.from_quantity,
    prices.unit_price_rate as unit_price,
    prices.peak_price_rate as peak_unit_price,
    prices.base_fee_amount,
    prices.minimum_amount,
    prices.maximum_amount,
    prices.source_name,
    policies.percent as cost_plus_percent,
    policies.fixed_amount,
    policies.fixed_per
from versions
inner join policies on versions.period_id = policies.period_id
left join prices
    on policies.charging_policy in ('rate', 'market')
    and policies.period_id = prices.period_id
    and policies.service_id = prices.service_id
left join {{ ref('dim_services') }} as services on policies.service_id = services.service_id
