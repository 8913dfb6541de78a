-- What late data change in the ledger and no note charges would be lost without a name; a change of drivers
-- alone would charge somebody what nobody else gets back.
select
    period_id,
    origin_period_id,
    ledger_change_amount,
    note_amount,
    difference_amount
from {{ ref('rpt_corrections') }}
where difference_amount <> 0
