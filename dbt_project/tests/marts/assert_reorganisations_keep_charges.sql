-- A charge that is lost between the units of the time and those of today would make a reorganisation
-- look like a saving.
with units as (
    select
        scenario_id,
        period_id,
        version,
        sum(charged_as_was_amount) as as_was_amount,
        sum(charged_as_is_amount) as as_is_amount,
        sum(moved_in_amount) as moved_in_amount,
        sum(moved_out_amount) as moved_out_amount,
        count(*) filter (
            where charged_as_is_amount is distinct from charged_as_was_amount - moved_out_amount + moved_in_amount
        ) as wrong_count
    from {{ ref('rpt_reorganisation') }}
    group by all
),

moved as (
    select
        scenario_id,
        period_id,
        version,
        sum(charged_amount) as moved_amount
    from {{ ref('rpt_moved_cost_centres') }}
    group by all
),

charged as (
    select
        scenario_id,
        period_id,
        version,
        sum(charged_amount) as charged_amount
    from {{ ref('fct_charges_monthly') }}
    where disposition = 'allocated'
    group by all
)

select
    coalesce(units.scenario_id, charged.scenario_id) as scenario_id,
    coalesce(units.period_id, charged.period_id) as period_id,
    charged.charged_amount,
    units.as_was_amount,
    units.as_is_amount,
    units.moved_in_amount,
    units.moved_out_amount,
    moved.moved_amount,
    units.wrong_count
from units
full outer join charged
    on units.scenario_id = charged.scenario_id
    and units.period_id = charged.period_id
    and units.version = charged.version
left join moved
    on charged.scenario_id = moved.scenario_id
    and charged.period_id = moved.period_id
    and charged.version = moved.version
where
    units.as_was_amount is distinct from charged.charged_amount
    or units.as_is_amount is distinct from charged.charged_amount
    or units.moved_in_amount is distinct from units.moved_out_amount
    or units.moved_in_amount is distinct from coalesce(moved.moved_amount, 0)
    or units.wrong_count is distinct from 0
