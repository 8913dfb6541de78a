-- Cost in a currency without a rate would become null and drop out of every sum; with two rates it
-- would be counted twice, with a rate of zero not at all.
select
    scenario_id,
    period_id,
    currency_code,
    count(*) as rate_count,
    min(exchange_rate) as lowest_rate,
    max(exchange_rate) as highest_rate
from {{ ref('int_ledger__rates') }}
group by scenario_id, period_id, currency_code
having count(*) <> 1 or coalesce(min(exchange_rate), 0) <= 0
