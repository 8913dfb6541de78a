-- Lines become engine units once: cumulative rounding within (period, account, currency), so that
-- the lines of an account sum to its converted total exactly and nothing is divided by an amount.
-- An amount and a rate have 12 decimals each, hence 10^24 (written out: power() is floating point);
-- engine units per amount take it from there.
with lines as (
    select
        lines.*,
        {{ decimal_to_integer('lines.amount_local', 12) }} as amount_integer,
        {{ decimal_to_integer('rates.exchange_rate', 12) }} as rate_integer
    from {{ ref('int_ledger__native_lines') }} as lines
    left join {{ ref('int_ledger__rates') }} as rates
        on lines.scenario_id = rates.scenario_id
        and lines.period_id = rates.period_id
        and lines.currency_code = rates.currency_code
),

running as (
    select
        *,
        sum(amount_integer) over (
            partition by scenario_id, period_id, version, account_id, currency_code
            order by ledger_line_id
            rows between unbounded preceding and current row
        ) as amount_to
    from lines
),

settings as (
    select 1000000000000000000000000 // units_per_amount as divisor from {{ ref('stg_model__settings') }}
)

select
    running.* exclude (amount_integer, rate_integer, amount_to),
    {{ multiply_and_divide('amount_to', 'rate_integer', 'divisor') }}
    - {{ multiply_and_divide('(amount_to - amount_integer)', 'rate_integer', 'divisor') }} as amount_units
from running
cross join settings
