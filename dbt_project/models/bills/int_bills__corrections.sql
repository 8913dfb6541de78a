-- Credit and debit notes: what late and corrected data of a closed period change in its charges, posted in
-- the first open one. Notes of closed periods are as they were frozen; the others are what is left of
-- the difference after them.
with notes as (
    select
        posting.period_id,
        posting.version,
        changed.service_id,
        changed.cost_centre_id,
        changed.period_id as origin_period_id,
        changed.version as origin_version,
        changed.charge_id as origin_charge_id,
        restatements.reason,
        changed.open_amount as amount,
        md5(concat_ws(
            '|', 'correction', posting.period_id, posting.version, changed.period_id, changed.version,
            changed.service_id, changed.cost_centre_id
        )) as bill_item_id
    from {{ ref('int_bills__restated_charges') }} as changed
    cross join {{ ref('int_bills__posting_period') }} as posting
    inner join {{ ref('stg_model__restatements') }} as restatements on changed.period_id = restatements.period_id
    where changed.open_amount <> 0
)

select
    'actual' as scenario_id,
    period_id,
    version,
    bill_item_id,
    'correction' as item_kind,
    service_id,
    cost_centre_id,
    origin_period_id,
    origin_version,
    origin_charge_id,
    -- CN is a credit note, DN a debit note.
    concat_ws(
        '-', case when amount < 0 then 'CN' else 'DN' end, period_id, origin_period_id, upper(left(bill_item_id, 8))
    ) as reference_id,
    reason,
    amount
from notes
union all
select
    scenario_id,
    period_id,
    version,
    bill_item_id,
    'correction' as item_kind,
    service_id,
    cost_centre_id,
    origin_period_id,
    origin_version,
    origin_charge_id,
    reference_id,
    reason,
    amount
from {{ ref('stg_model__posted_notes') }}
