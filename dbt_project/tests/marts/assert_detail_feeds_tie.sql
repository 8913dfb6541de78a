-- Ledger lines that a feed claims and neither explains nor balances would be lost; lines beyond them
-- would add cost that nobody booked.
select
    scenario_id,
    period_id,
    source_id,
    account_id,
    cost_centre_id,
    currency_code,
    ledger_amount_local,
    explained_amount_local + difference_amount_local as feed_amount_local,
    explained_amount_local + difference_amount_local - ledger_amount_local as difference
from {{ ref('rpt_detail_feeds') }}
where ledger_amount_local is distinct from explained_amount_local + difference_amount_local
