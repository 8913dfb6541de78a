-- What the files deliver and no stage counts: records in quarantine, open or discarded, by the currency
-- that they name. A period that cannot be read, or that the calendar does not have, is the period
-- '(unknown)'; a currency that cannot be read is '(unknown)', too; '(none)' stands for records of a
-- contract without one. Amounts count in their own currency. Where there is a rate, the total of a file
-- and currency is also stated in the reporting currency; without one it is no amount there, not zero.
with settings as (
    select * from {{ ref('stg_model__settings') }}
),

controls as (
    select control_source_id as source_id from settings
    union
    select source_id from {{ ref('stg_model__feeds') }}
    where is_control_total
),

records as (
    select
        loads.scenario_id,
        case
            when not quarantine.has_period then '(none)'
            else coalesce(periods.period_id, '(unknown)')
        end as period_id,
        quarantine.source_id,
        quarantine.file_name,
        case
            when not quarantine.has_amount then '(none)'
            when regexp_full_match(quarantine.currency_code, '[A-Z]{3}') then quarantine.currency_code
            else '(unknown)'
        end as currency_code,
        quarantine.state as state_code,
        (loads.scenario_id = 'actual' and quarantine.source_id in (select source_id from controls))
        or (loads.scenario_id <> 'actual' and loads.contract_id in ('general_ledger', 'budget'))
            as is_control_total,
        quarantine.has_amount and quarantine.amount_local is null as is_unreadable,
        quarantine.amount_local,
        quarantine.reason
    from {{ ref('stg_model__quarantine') }} as quarantine
    inner join {{ ref('stg_model__loads') }} as loads
        on quarantine.source_id = loads.source_id and quarantine.file_id = loads.file_id
    left join {{ ref('stg_model__periods') }} as periods on quarantine.period_id = periods.period_id
),

rates as (
    select distinct
        rates.period_id,
        rates.from_currency_code,
        rates.exchange_rate
    from {{ ref('stg_exchange_rates__rates') }} as rates
    inner join settings
        on rates.rate_type = settings.rate_type and rates.to_currency_code = settings.currency_code
),

summed as (
    select
        scenario_id,
        period_id,
        source_id,
        file_name,
        currency_code,
        state_code,
        is_control_total,
        count(*) as record_count,
        count(*) filter (is_unreadable) as unreadable_count,
        min(reason) as reason,
        sum(amount_local) as amount_local
    from records
    group by all
),

rated as (
    select
        summed.*,
        case
            when summed.currency_code = settings.currency_code then cast(1 as decimal(38, 12))
            else rates.exchange_rate
        end as exchange_rate
    from summed
    cross join settings
    left join rates
        on summed.period_id = rates.period_id and summed.currency_code = rates.from_currency_code
)

select
    *,
    -- An amount beyond all money, such as an identifier in its column, is left in its currency.
    case
        when cast(abs(amount_local) as double) * greatest(cast(exchange_rate as double), 1) < 100000000000000
            then {{ converted_units('amount_local', 'exchange_rate') }}
    end as amount_units
from rated
