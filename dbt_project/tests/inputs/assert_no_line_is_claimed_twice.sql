-- A ledger line that two detail feeds claim would be replaced twice, and its cost counted twice.
select
    source_id,
    line_id,
    string_agg(feed_source_id, ', ' order by feed_source_id) as feed_source_ids
from {{ ref('int_ledger__claims') }}
group by source_id, line_id
having count(*) > 1
