-- A certificate with a difference proves that money was lost or made up; it must not be published.
select
    scenario_id,
    period_id,
    version,
    identity_id,
    amount,
    amount_cents
from {{ ref('rpt_certificate') }}
where side = 'difference' and (amount is distinct from 0 or amount_cents is distinct from 0)
