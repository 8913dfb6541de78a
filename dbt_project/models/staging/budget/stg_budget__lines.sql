-- A budget line is for its period, or for the fiscal year or quarter of it where its source declares a phasing. Such a
-- line is divided in the minor unit of its currency by cumulative rounding, so that its parts are whole cents and sum
-- to what was delivered.
with budget as (
    select
        budget._scenario_id as scenario_id,
        budget.* exclude (_scenario_id, _source_id, _file_id, _row_number),
        budget._source_id as source_id,
        budget._file_id as file_id,
        budget._row_number as row_number,
        coalesce(minor_units.digits, 2) as digits
    from {{ source('lake', 'budget') }} as budget
    left join {{ ref('stg_model__minor_units') }} as minor_units
        on budget.currency_code = minor_units.currency_code
),

-- The shape of the year before: what the ledger had on the account; what was credited has no share.
ledger as (
    select
        period_id,
        account_id,
        greatest(cast(sum(amount_local) * 100 as decimal(38, 0)), 0) as ledger_weight
    from {{ source('lake', 'general_ledger') }}
    where _scenario_id = 'actual'
    group by period_id, account_id
),

phased as (
    select
        budget.*,
        phasing.period_id as phase_period_id,
        phasing.position,
        {{ decimal_to_integer('budget.amount_local', 12) }}
        // cast(power(10, 12 - budget.digits) as hugeint) as amount_minor,
        cast(coalesce(phasing.weight, ledger.ledger_weight, 0) as hugeint) as weight
    from budget
    inner join {{ ref('stg_model__phasing') }} as phasing
        on budget.source_id = phasing.source_id and budget.period_id = phasing.delivered_period_id
    left join ledger
        on phasing.shape_period_id = ledger.period_id and budget.account_id = ledger.account_id
),

totals as (
    select
        *,
        sum(weight) over whole as weight_total
    from phased
    window whole as (partition by scenario_id, source_id, file_id, row_number)
),

-- Nothing to go by is divided evenly.
weighted as (
    select * replace (case when weight_total > 0 then weight else 1 end as weight)
    from totals
),

running as (
    select
        *,
        cast(sum(weight) over (
            partition by scenario_id, source_id, file_id, row_number
            order by position
            rows between unbounded preceding and current row
        ) as hugeint) as weight_to,
        cast(sum(weight) over (partition by scenario_id, source_id, file_id, row_number) as hugeint) as weight_of_all
    from weighted
),

parts as (
    select
        *,
        {{ divide_integers('amount_minor * weight_to', 'weight_of_all') }}
        - {{ divide_integers('amount_minor * (weight_to - weight)', 'weight_of_all') }} as part_minor
    from running
)

{% set columns = [
    'legal_entity_id', 'account_id', 'cost_centre_id', 'vendor_name', 'description', 'currency_code'
] -%}
select
    scenario_id,
    line_id,
    period_id,
    {{ columns | join(',\n    ') }},
    amount_local,
    source_id,
    file_id,
    row_number
from budget
anti join {{ ref('stg_model__phasing') }} as phasing
    on budget.source_id = phasing.source_id and budget.period_id = phasing.delivered_period_id
union all
select
    scenario_id,
    line_id,
    phase_period_id as period_id,
    {{ columns | join(',\n    ') }},
    cast(part_minor as decimal(25, 0)) * cast(power(10, -digits) as decimal(13, 12)) as amount_local,
    source_id,
    file_id,
    row_number
from parts
