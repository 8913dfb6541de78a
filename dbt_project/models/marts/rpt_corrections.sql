-- What became of the ledger's change: per closed period and the period in which its change is posted, what
-- is charged by notes and what is not charged. The sum leaves no difference.
{% set terms = {
    'recovery': 'recovery_account_amount',
    'out_of_scope': 'out_of_scope_amount',
    'capitalised': 'capitalised_amount',
    "quarantined', 'discarded": 'quarantined_amount',
    'unmapped': 'unmapped_amount',
    'unallocated': 'unallocated_amount',
    'idle': 'idle_amount',
    'showback': 'showback_amount',
} %}
{% set amounts = ['ledger_change_amount'] + terms.values() | list + ['price_amount'] %}
with certified as (
    select
        period_id,
        version,
        identity_id,
        term_id,
        amount_cents
    from {{ ref('rpt_certificate') }}
    where scenario_id = 'restated'
    union all
    select
        period_id,
        closed_version as version,
        identity_id,
        term_id,
        -amount_cents as amount_cents
    from {{ ref('stg_model__frozen_certificates') }}
),

changes as (
    select
        period_id as origin_period_id,
        version as origin_version,
        coalesce(sum(amount_cents) filter (identity_id = 'ledger' and term_id = 'delivered'), 0)
            as ledger_change_amount,
        {% for term, column in terms.items() %}
        coalesce(sum(amount_cents) filter (identity_id = 'ledger' and term_id in ('{{ term }}')), 0)
            as {{ column }},
        {% endfor %}
        -- Cost that prices do not charge, or the other way round.
        -coalesce(sum(amount_cents) filter (identity_id = 'charged' and term_id = 'recovery'), 0) as price_amount
    from certified
    group by all
),

posted as (
    select
        {% for column in amounts %}
        sum({{ column }}) as {{ column }},
        {% endfor %}
        origin_period_id,
        origin_version
    from {{ ref('stg_model__posted_corrections') }}
    group by all
),

notes as (
    select
        period_id,
        origin_period_id,
        count(*) as note_count,
        sum(amount) as note_amount
    from {{ ref('int_bills__corrections') }}
    group by all
),

waiting as (
    select
        changed.period_id as origin_period_id,
        sum(changed.open_amount) as waiting_amount
    from {{ ref('int_bills__restated_charges') }} as changed
    where not exists (select 1 from {{ ref('int_bills__posting_period') }})
    group by all
),

open_corrections as (
    select
        'actual' as scenario_id,
        posting.period_id,
        posting.version,
        changes.origin_period_id,
        changes.origin_version,
        restatements.reason,
        {% for column in amounts %}
        changes.{{ column }} - coalesce(posted.{{ column }}, 0) as {{ column }},
        {% endfor %}
        coalesce(notes.note_count, 0) as note_count,
        coalesce(notes.note_amount, 0) as note_amount,
        coalesce(waiting.waiting_amount, 0) as waiting_amount
    from changes
    inner join {{ ref('stg_model__restatements') }} as restatements
        on changes.origin_period_id = restatements.period_id
    left join {{ ref('int_bills__posting_period') }} as posting on true
    left join posted
        on changes.origin_period_id = posted.origin_period_id and changes.origin_version = posted.origin_version
    left join notes
        on posting.period_id = notes.period_id and changes.origin_period_id = notes.origin_period_id
    left join waiting on changes.origin_period_id = waiting.origin_period_id
),

together as (
    select * from open_corrections
    where
        note_count > 0
        or waiting_amount <> 0
        {% for column in amounts %}
        or {{ column }} <> 0
        {% endfor %}
    union all by name
    select
        *,
        0 as waiting_amount
    from {{ ref('stg_model__posted_corrections') }}
)

select
    scenario_id,
    period_id,
    version,
    origin_period_id,
    origin_version,
    reason,
    {% for column in amounts %}
    cast({{ column }} as decimal(38, 8)) as {{ column }},
    {% endfor %}
    cast(note_count as bigint) as note_count,
    cast(note_amount as decimal(38, 8)) as note_amount,
    cast(waiting_amount as decimal(38, 8)) as waiting_amount,
    cast(
        ledger_change_amount
        {% for column in amounts[1:] %}
        - {{ column }}
        {% endfor %}
        - note_amount - waiting_amount as decimal(38, 8)
    ) as difference_amount
from together
