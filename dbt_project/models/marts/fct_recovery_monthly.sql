-- What each service charges beside what it costs. Both are summed here from the prices and from the
-- lines of cost, and not from the charges, so that a charge beside its price shows as a difference.
with lines as (
    select
        lines.scenario_id,
        lines.period_id,
        lines.version,
        lines.service_id,
        sum(lines.amount_units) as cost_units,
        sum(lines.cost_cents) as cost_cents,
        sum(case when policies.charging_policy = 'at_cost' then lines.cost_cents else 0 end) as at_cost_cents
    from {{ ref('int_charges__lines') }} as lines
    inner join {{ ref('int_charges__policies') }} as policies
        on lines.period_id = policies.period_id and lines.service_id = policies.service_id
    where lines.disposition = 'allocated' and policies.charging_policy <> 'showback'
    group by all
),

prices as (
    select
        scenario_id,
        period_id,
        version,
        service_id,
        sum(charged_cents) as price_cents
    from {{ ref('int_charges__prices') }}
    group by all
),

quantities as (
    select
        scenario_id,
        period_id,
        version,
        service_id,
        sum(quantity) as quantity,
        max(unit_code) as unit_code
    from {{ ref('int_charges__quantities') }}
    where receiver_disposition = 'allocated'
    group by all
),

charged as (
    select
        coalesce(lines.scenario_id, prices.scenario_id) as scenario_id,
        coalesce(lines.period_id, prices.period_id) as period_id,
        coalesce(lines.version, prices.version) as version,
        coalesce(lines.service_id, prices.service_id) as service_id,
        coalesce(lines.cost_units, 0) as cost_units,
        coalesce(lines.cost_cents, 0) as cost_cents,
        coalesce(lines.at_cost_cents, 0) + coalesce(prices.price_cents, 0) as charged_cents
    from lines
    full outer join prices
        on lines.scenario_id = prices.scenario_id
        and lines.period_id = prices.period_id
        and lines.version = prices.version
        and lines.service_id = prices.service_id
),

dated as (
    select
        versions.scenario_id,
        versions.period_id,
        versions.version,
        periods.fiscal_year
    from {{ ref('stg_model__period_versions') }} as versions
    inner join {{ ref('stg_model__periods') }} as periods on versions.period_id = periods.period_id
),

-- A service that was charged earlier in the year has a row, if only of zeros: its year goes on.
years as (
    select
        charged.scenario_id,
        dated.fiscal_year,
        charged.service_id,
        min(charged.period_id) as first_period_id
    from charged
    inner join dated on charged.scenario_id = dated.scenario_id and charged.period_id = dated.period_id
    group by all
),

counted as (
    select
        dated.scenario_id,
        dated.period_id,
        dated.version,
        dated.fiscal_year,
        years.service_id,
        coalesce(charged.cost_units, 0) as cost_units,
        coalesce(charged.cost_cents, 0) as cost_cents,
        coalesce(charged.charged_cents, 0) as charged_cents
    from years
    inner join dated
        on years.scenario_id = dated.scenario_id
        and years.fiscal_year = dated.fiscal_year
        and years.first_period_id <= dated.period_id
    left join charged
        on dated.scenario_id = charged.scenario_id
        and dated.period_id = charged.period_id
        and dated.version = charged.version
        and years.service_id = charged.service_id
),

to_date as (
    select
        *,
        sum(cost_cents) over so_far as cost_to_date_cents,
        sum(charged_cents) over so_far as charged_to_date_cents
    from counted
    window so_far as (
        partition by scenario_id, fiscal_year, service_id order by period_id
        rows between unbounded preceding and current row
    )
)

select
    to_date.scenario_id,
    to_date.period_id,
    to_date.version,
    to_date.fiscal_year,
    to_date.service_id,
    coalesce(services.service_name, to_date.service_id) as service_name,
    coalesce(policies.charging_policy, 'at_cost') as charging_policy,
    cast(quantities.quantity as decimal(38, 12)) as quantity,
    quantities.unit_code,
    {{ unit_rate('to_date.cost_units', 'quantities.quantity') }} as cost_rate,
    {{ unit_rate('(to_date.charged_cents * 1000000)', 'quantities.quantity') }} as charged_rate,
    {{ cents_to_amount('to_date.cost_cents') }} as cost_amount,
    {{ cents_to_amount('to_date.charged_cents') }} as charged_amount,
    {{ cents_to_amount('(to_date.charged_cents - to_date.cost_cents)') }} as recovery_amount,
    {{ cents_to_amount('to_date.cost_to_date_cents') }} as cost_to_date_amount,
    {{ cents_to_amount('to_date.charged_to_date_cents') }} as charged_to_date_amount,
    {{ cents_to_amount('(to_date.charged_to_date_cents - to_date.cost_to_date_cents)') }} as recovery_to_date_amount
from to_date
left join quantities
    on to_date.scenario_id = quantities.scenario_id
    and to_date.period_id = quantities.period_id
    and to_date.version = quantities.version
    and to_date.service_id = quantities.service_id
left join {{ ref('int_charges__policies') }} as policies
    on to_date.period_id = policies.period_id and to_date.service_id = policies.service_id
left join {{ ref('dim_services') }} as services on to_date.service_id = services.service_id
