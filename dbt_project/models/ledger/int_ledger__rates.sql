-- One rate per scenario, period and currency into the reporting currency.
with settings as (
    select * from {{ ref('stg_model__settings') }}
),

needed as (
    select distinct
        scenario_id,
        period_id,
        currency_code
    from {{ ref('int_ledger__native_lines') }}
),

rates as (
    select distinct
        rates.period_id,
        rates.from_currency_code,
        rates.exchange_rate,
        rates.source_name
    from {{ ref('stg_exchange_rates__rates') }} as rates
    inner join settings
        on rates.rate_type = settings.rate_type and rates.to_currency_code = settings.currency_code
)

select
    needed.scenario_id,
    needed.period_id,
    needed.currency_code,
    case
        when needed.currency_code = settings.currency_code then cast(1 as decimal(38, 12))
        else rates.exchange_rate
    end as exchange_rate,
    case
        when needed.currency_code = settings.currency_code then 'reporting currency'
        else rates.source_name
    end as source_name
from needed
cross join settings
left join rates
    on needed.period_id = rates.period_id
    and needed.currency_code = rates.from_currency_code
