-- What the certificate calls delivered, in the currencies that the files name. A currency has its row where
-- none of its records was accepted; the period '(unknown)' holds what names no period of the calendar.
-- Amounts are in the delivered currency; what has a rate is also stated in the reporting currency.
with settings as (
    select * from {{ ref('stg_model__settings') }}
),

rates as (
    select distinct
        rates.period_id,
        rates.from_currency_code,
        rates.exchange_rate
    from {{ ref('stg_exchange_rates__rates') }} as rates
    inner join settings
        on rates.rate_type = settings.rate_type and rates.to_currency_code = settings.currency_code
)

select
    delivered.scenario_id,
    delivered.period_id,
    delivered.version,
    delivered.currency_code,
    cast(
        delivered.counted_record_count + delivered.open_record_count + delivered.discarded_record_count as bigint
    ) as delivered_record_count,
    cast(delivered.counted_record_count as bigint) as counted_record_count,
    cast(delivered.open_record_count as bigint) as quarantined_record_count,
    cast(delivered.discarded_record_count as bigint) as discarded_record_count,
    cast(delivered.open_unreadable_count + delivered.discarded_unreadable_count as bigint)
        as unreadable_record_count,
    cast(
        delivered.counted_amount_local + delivered.open_amount_local + delivered.discarded_amount_local
        as decimal(38, 12)
    ) as delivered_amount_local,
    cast(delivered.counted_amount_local as decimal(38, 12)) as counted_amount_local,
    cast(delivered.open_amount_local as decimal(38, 12)) as quarantined_amount_local,
    cast(delivered.discarded_amount_local as decimal(38, 12)) as discarded_amount_local,
    cast(
        case
            when delivered.currency_code = settings.currency_code then 1
            else rates.exchange_rate
        end as decimal(38, 12)
    ) as exchange_rate,
    -- No rate is no amount of the reporting currency, and not zero.
    case
        when not delivered.is_unstated
            then {{ units_to_amount('delivered.counted_units + delivered.open_units + delivered.discarded_units') }}
    end as delivered_amount
from {{ ref('int_ledger__delivered') }} as delivered
cross join settings
left join rates
    on delivered.period_id = rates.period_id and delivered.currency_code = rates.from_currency_code
