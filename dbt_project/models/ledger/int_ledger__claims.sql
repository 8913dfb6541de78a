-- Which ledger lines a detail feed explains. Two claims on one line are refused by a test.
with lines as (
    select * from {{ ref('stg_general_ledger__lines') }}
)

-- A line of a restated period is claimed as it was.
select distinct
    lines.source_id,
    lines.line_id,
    feeds.source_id as feed_source_id
from lines
inner join {{ ref('stg_model__feeds') }} as feeds
    on feeds.has_claims
    and {{ match_globs('feeds.accounts', 'lines.account_id') }}
    and {{ match_globs('feeds.cost_centres', 'lines.cost_centre_id') }}
    and {{ match_globs('feeds.vendors', 'lines.vendor_name') }}
    and {{ match_globs('feeds.legal_entities', 'lines.legal_entity_id') }}
where lines.scenario_id in ('actual', 'restated')
