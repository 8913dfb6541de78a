-- What the ledger says about what a feed explains, beside what the feed says; the difference is named.
with ledger as (
    select
        lines.scenario_id,
        lines.period_id,
        claims.feed_source_id as source_id,
        lines.legal_entity_id,
        lines.account_id,
        lines.cost_centre_id,
        lines.currency_code,
        sum(lines.amount_local) as amount_local
    from {{ ref('stg_general_ledger__lines') }} as lines
    inner join {{ ref('int_ledger__claims') }} as claims
        on lines.source_id = claims.source_id and lines.line_id = claims.line_id
    where lines.scenario_id in ('actual', 'restated')
    group by all
),

lines as (
    select
        lines.scenario_id,
        lines.period_id,
        lines.source_id,
        lines.legal_entity_id,
        lines.account_id,
        lines.cost_centre_id,
        lines.currency_code,
        sum(case when lines.is_balancing then 0 else lines.amount_local end) as explained_amount_local,
        sum(case when lines.is_balancing then lines.amount_local else 0 end) as difference_amount_local,
        sum(lines.amount_local) filter (lines.balancing_kind = 'not_yet_posted') as not_yet_posted_amount_local,
        sum(lines.amount_local) filter (lines.balancing_kind = 'posted_late') as posted_late_amount_local
    from {{ ref('int_ledger__lines') }} as lines
    inner join {{ ref('stg_model__feeds') }} as feeds on lines.source_id = feeds.source_id and feeds.has_claims
    group by all
)

select
    scenario_id,
    period_id,
    versions.version,
    source_id,
    legal_entity_id,
    account_id,
    cost_centre_id,
    currency_code,
    cast(coalesce(ledger.amount_local, 0) as decimal(38, 12)) as ledger_amount_local,
    cast(coalesce(lines.explained_amount_local, 0) as decimal(38, 12)) as explained_amount_local,
    cast(coalesce(lines.difference_amount_local, 0) as decimal(38, 12)) as difference_amount_local,
    cast(coalesce(lines.not_yet_posted_amount_local, 0) as decimal(38, 12)) as not_yet_posted_amount_local,
    cast(coalesce(lines.posted_late_amount_local, 0) as decimal(38, 12)) as posted_late_amount_local
from ledger
full outer join lines
    using (scenario_id, period_id, source_id, legal_entity_id, account_id, cost_centre_id, currency_code)
inner join {{ ref('stg_model__period_versions') }} as versions using (scenario_id, period_id)
