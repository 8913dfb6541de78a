-- What was delivered, counted again from the deliveries and not from the lines that the engine made:
-- the figure that every stop has to give back.
with settings as (
    select * from {{ ref('stg_model__settings') }}
),

delivered as (
    select
        lines.scenario_id,
        lines.period_id,
        lines.account_id,
        lines.currency_code,
        lines.amount_local
    from {{ ref('stg_general_ledger__lines') }} as lines
    inner join settings
        on lines.source_id = settings.control_source_id or lines.scenario_id not in ('actual', 'restated')
    union all
    select
        scenario_id,
        period_id,
        account_id,
        currency_code,
        amount_local
    from {{ ref('stg_budget__lines') }}
    union all
    select
        lines.scenario_id,
        lines.period_id,
        feeds.account_id,
        lines.billing_currency as currency_code,
        lines.amount_local
    from {{ ref('stg_cloud_bill__lines') }} as lines
    inner join {{ ref('stg_model__feeds') }} as feeds
        on lines.source_id = feeds.source_id and feeds.is_control_total
),

totals as (
    select
        scenario_id,
        period_id,
        account_id,
        currency_code,
        sum(amount_local) as amount_local,
        count(*) as line_count
    from delivered
    group by all
)

select
    totals.scenario_id,
    totals.period_id,
    versions.version,
    totals.account_id,
    totals.currency_code,
    totals.amount_local,
    totals.line_count,
    rates.exchange_rate,
    {{ converted_units('totals.amount_local', 'rates.exchange_rate', 'settings.units_per_amount') }} as amount_units
from totals
cross join settings
inner join {{ ref('stg_model__period_versions') }} as versions
    on totals.scenario_id = versions.scenario_id and totals.period_id = versions.period_id
left join {{ ref('int_ledger__rates') }} as rates
    on totals.scenario_id = rates.scenario_id
    and totals.period_id = rates.period_id
    and totals.currency_code = rates.currency_code
