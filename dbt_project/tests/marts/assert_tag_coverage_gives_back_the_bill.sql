-- Money that is in the bill and in no part of its coverage would make an untagged bill look tagged.
with targets as (
    select unnest(['service', 'consumer']) as target_kind
),

bills as (
    select
        lines.scenario_id,
        lines.period_id,
        lines.version,
        lines.source_id,
        targets.target_kind,
        sum(lines.amount_units) as amount_units
    from {{ ref('int_ledger__lines') }} as lines
    inner join {{ ref('stg_model__feeds') }} as feeds
        on lines.source_id = feeds.source_id and feeds.contract_id = 'cloud_bill'
    cross join targets
    -- A discount that is not passed on is of no line of the bill.
    where not lines.is_balancing and not starts_with(lines.ledger_line_id, lines.source_id || ':discount:')
    group by all
),

counts as (
    select
        lines.scenario_id,
        lines.period_id,
        lines.source_id,
        count(*) as line_count
    from {{ ref('stg_cloud_bill__lines') }} as lines
    group by all
),

covered as (
    select
        scenario_id,
        period_id,
        version,
        source_id,
        target_kind,
        sum({{ units_of_amount('amount') }}) as amount_units,
        min({{ units_of_amount('source_amount') }}) as source_units,
        sum(line_count) as line_count
    from {{ ref('rpt_tag_coverage') }}
    group by all
)

select
    coalesce(bills.scenario_id, covered.scenario_id) as scenario_id,
    coalesce(bills.period_id, covered.period_id) as period_id,
    coalesce(bills.source_id, covered.source_id) as source_id,
    coalesce(bills.target_kind, covered.target_kind) as target_kind,
    bills.amount_units,
    covered.amount_units as covered_units,
    coalesce(covered.amount_units, 0) - coalesce(bills.amount_units, 0) as difference_units,
    counts.line_count,
    covered.line_count as covered_line_count
from bills
full outer join covered
    on bills.scenario_id is not distinct from covered.scenario_id
    and bills.period_id is not distinct from covered.period_id
    and bills.version is not distinct from covered.version
    and bills.source_id is not distinct from covered.source_id
    and bills.target_kind is not distinct from covered.target_kind
left join counts
    on bills.scenario_id = counts.scenario_id
    and bills.period_id = counts.period_id
    and bills.source_id = counts.source_id
where
    bills.amount_units is distinct from covered.amount_units
    or bills.amount_units is distinct from covered.source_units
    or counts.line_count is distinct from covered.line_count
