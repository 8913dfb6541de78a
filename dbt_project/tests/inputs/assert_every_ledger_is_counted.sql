-- Actual cost of a source that is neither the control total nor a claim on it would be left out of
-- every figure, and of the control totals as well, so that nothing would differ.
with settings as (
    select * from {{ ref('stg_model__settings') }}
),

uncounted as (
    select
        lines.source_id,
        lines.period_id,
        lines.currency_code,
        lines.amount_local
    from {{ ref('stg_general_ledger__lines') }} as lines
    inner join settings on lines.source_id <> settings.control_source_id
    where lines.scenario_id = 'actual'
    union all
    select
        lines.source_id,
        lines.period_id,
        lines.billing_currency as currency_code,
        lines.amount_local
    from {{ ref('stg_cloud_bill__lines') }} as lines
    cross join settings
    anti join {{ ref('stg_model__feeds') }} as counted
        on lines.source_id = counted.source_id and counted.is_control_total
    -- Beside a ledger a bill is detail of it; without one every bill is cost of its own.
    inner join {{ ref('stg_model__feeds') }} as control
        on settings.control_source_id = control.source_id and control.is_control_total
    where lines.scenario_id = 'actual'
)

select
    source_id,
    period_id,
    currency_code,
    sum(amount_local) as amount_local
from uncounted
group by source_id, period_id, currency_code
