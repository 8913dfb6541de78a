-- Parts that do not sum to the cost, or lie further from their exact amount than the rounding to cents
-- takes them, would state a confidence that nobody measured.
with charges as (
    select * from {{ ref('fct_charges_monthly') }}
),

-- A charge that has a price and no cost rests on nothing that could be doubted.
lines as (
    select * from {{ ref('int_charges__lines') }}
    union all by name
    select
        prices.scenario_id,
        prices.period_id,
        prices.version,
        prices.service_id,
        prices.cost_centre_id,
        'allocated' as disposition,
        0 as estimated_or_worse_cents,
        0 as stale_or_worse_cents,
        0 as fallback_cents,
        0 as estimated_or_worse_units,
        0 as stale_or_worse_units,
        0 as fallback_units
    from {{ ref('int_charges__prices') }} as prices
    where not prices.has_cost_line
),

bills as (
    select * from {{ ref('rpt_bill_lines') }}
),

-- The parts of a line beside what rests on drivers of some quality or worse.
levels as (
    select
        charges.charge_id,
        charges.cost_amount,
        charges.measured_amount,
        charges.estimated_amount,
        charges.stale_amount,
        charges.fallback_amount,
        {{ cents_to_amount('lines.estimated_or_worse_cents') }} as estimated_or_worse_amount,
        {{ cents_to_amount('lines.stale_or_worse_cents') }} as stale_or_worse_amount,
        {{ cents_to_amount('lines.fallback_cents') }} as fallback_level_amount,
        greatest(
            abs(lines.estimated_or_worse_cents * 1000000 - lines.estimated_or_worse_units),
            abs(lines.stale_or_worse_cents * 1000000 - lines.stale_or_worse_units),
            abs(lines.fallback_cents * 1000000 - lines.fallback_units)
        ) as largest_gap_units
    from charges
    left join lines using (scenario_id, period_id, version, service_id, cost_centre_id, disposition)
)

select
    charge_id,
    'sum of the parts' as what,
    cost_amount as expected,
    measured_amount + estimated_amount + stale_amount + fallback_amount as found
from levels
where measured_amount + estimated_amount + stale_amount + fallback_amount is distinct from cost_amount
union all by name
select
    charge_id,
    'what is not measured' as what,
    estimated_or_worse_amount as expected,
    estimated_amount + stale_amount + fallback_amount as found
from levels
where
    estimated_amount + stale_amount + fallback_amount is distinct from estimated_or_worse_amount
    or stale_amount + fallback_amount is distinct from stale_or_worse_amount
    or fallback_amount is distinct from fallback_level_amount
    -- A part that is all of its line has the line's cents, which may be a cent from its units.
    or coalesce(largest_gap_units, 1000001) > 1000000
union all by name
select
    bills.charge_id,
    'bill line' as what,
    charges.measured_amount as expected,
    bills.measured_amount as found
from bills
inner join charges on bills.charge_id = charges.charge_id
where
    bills.measured_amount is distinct from charges.measured_amount
    or bills.estimated_amount is distinct from charges.estimated_amount
    or bills.stale_amount is distinct from charges.stale_amount
    or bills.fallback_amount is distinct from charges.fallback_amount
