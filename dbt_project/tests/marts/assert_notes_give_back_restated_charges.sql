-- A note that is missing or posted twice would keep what late data cost, or charge it again.
with changed as (
    select
        period_id,
        service_id,
        sum(amount) as amount
    from (
        select
            period_id,
            service_id,
            charged_amount as amount
        from {{ ref('fct_charges_monthly') }}
        where scenario_id = 'restated'
        union all
        select
            period_id,
            service_id,
            -charged_amount as amount
        from {{ ref('stg_model__frozen_charges') }}
    )
    group by period_id, service_id
),

noted as (
    select
        items.origin_period_id as period_id,
        items.service_id,
        sum(items.amount) as amount
    from {{ ref('fct_bill_items_monthly') }} as items
    inner join {{ ref('stg_model__restatements') }} as restatements
        on items.origin_period_id = restatements.period_id
    where items.item_kind = 'correction'
    group by items.origin_period_id, items.service_id
)

select
    period_id,
    service_id,
    changed.amount as changed_amount,
    noted.amount as noted_amount,
    coalesce(changed.amount, 0) - coalesce(noted.amount, 0) as difference_amount
from changed
full outer join noted using (period_id, service_id)
where
    coalesce(changed.amount, 0) is distinct from coalesce(noted.amount, 0)
    and exists (select 1 from {{ ref('int_bills__posting_period') }})
