-- What was delivered for a period, by currency: what counts, and what is in quarantine or discarded. A
-- currency of which no record was accepted has its row, and so has the period '(unknown)'. A restated
-- period was delivered what the period that it restates was.
with versions as (
    select
        scenario_id,
        case when scenario_id = 'restated' then 'actual' else scenario_id end as delivered_scenario_id,
        period_id,
        version
    from {{ ref('stg_model__period_versions') }}
),

quarantined as (
    select
        scenario_id,
        period_id,
        currency_code,
        state_code,
        record_count,
        unreadable_count,
        amount_local,
        amount_units
    from {{ ref('int_ledger__quarantined') }}
    where is_control_total
),

left_out as (
    select
        versions.scenario_id,
        versions.period_id,
        versions.version,
        quarantined.* exclude (scenario_id, period_id)
    from quarantined
    inner join versions
        on quarantined.scenario_id = versions.delivered_scenario_id and quarantined.period_id = versions.period_id
    union all
    select
        scenario_id,
        period_id,
        1 as version,
        * exclude (scenario_id, period_id)
    from quarantined
    where period_id = '(unknown)'
),

together as (
    select
        scenario_id,
        period_id,
        version,
        currency_code,
        'counted' as state_code,
        line_count as record_count,
        0 as unreadable_count,
        amount_local,
        amount_units
    from {{ ref('int_ledger__control_totals') }}
    union all by name
    select * from left_out
)

select
    scenario_id,
    period_id,
    version,
    currency_code,
    {% for state in ['counted', 'open', 'discarded'] %}
    coalesce(sum(record_count) filter (state_code = '{{ state }}'), 0) as {{ state }}_record_count,
    coalesce(sum(amount_local) filter (state_code = '{{ state }}'), 0) as {{ state }}_amount_local,
    coalesce(sum(amount_units) filter (state_code = '{{ state }}'), 0) as {{ state }}_units,
    {% endfor %}
    {% for state in ['open', 'discarded'] %}
    coalesce(sum(unreadable_count) filter (state_code = '{{ state }}'), 0) as {{ state }}_unreadable_count,
    coalesce(sum(amount_local) filter (state_code = '{{ state }}' and amount_units is null), 0)
        as {{ state }}_unstated_amount_local,
    {% endfor %}
    count(*) filter (amount_local is not null and amount_units is null) > 0 as is_unstated
from together
group by all
