-- One row per item of the bills of a period, with what both datasets of bills say of it: the invoice
-- that it stands on, the invoice that it refers to, and what kind of charge it is for FOCUS.
with bills as (
    select * from fct_bill_items_monthly
    where scenario_id = 'actual' and period_id = $period and version = $version
),

lines as (
    select charge_id, charging_policy, driver_name, quantity, unit_code, unit_rate
    from rpt_bill_lines
    where scenario_id = 'actual' and period_id = $period and version = $version
),

-- Who was billed then: a cost centre may have another business unit today.
earlier as (
    select period_id, cost_centre_id, max(business_unit_id) as business_unit_id
    from fct_bill_items_monthly
    where
        scenario_id = 'actual' and item_kind = 'charge'
        and period_id in (select origin_period_id from bills where origin_period_id <> $period)
    group by period_id, cost_centre_id
),

described as (
    select
        bills.*,
        lines.* exclude (charge_id),
        coalesce(lines.quantity, 0) <> 0 as has_quantity,
        bills.period_id || '-' || bills.business_unit_id || '-v' || bills.version as invoice_id,
        case
            when bills.origin_period_id = bills.period_id then invoice_id
            else bills.origin_period_id || '-'
                || coalesce(earlier.business_unit_id, bills.business_unit_id)
                || '-v' || bills.origin_version
        end as reference_invoice_id,
        case bills.item_kind
            when 'charge' then 'Usage'
            -- A credit or debit note for what was used stays the use of it.
            when 'correction' then 'Usage'
            when 'service_credit' then 'Credit'
            when 'tax' then 'Tax'
            else 'Adjustment'
        end as charge_category,
        case
            when bills.item_kind in ('correction', 'adjustment') and bills.origin_period_id <> bills.period_id
                then 'Correction'
        end as charge_class,
        bills.service_name || case bills.item_kind
            when 'charge' then coalesce(': ' || lines.driver_name, '')
            when 'correction' then ', correction of ' || bills.origin_period_id
            when 'adjustment' then ', adjustment of ' || bills.origin_period_id
            when 'service_credit' then ', service credit for ' || bills.origin_period_id
            when 'mark_up' then ', mark-up'
            when 'tax' then ', tax'
            when 'true_up' then ', true-up of the year'
        end as what,
        list_position($kinds, bills.item_kind) as kind_order
    from bills
    left join lines on bills.bill_item_id = lines.charge_id and bills.item_kind = 'charge'
    left join earlier
        on bills.origin_period_id = earlier.period_id and bills.cost_centre_id = earlier.cost_centre_id
)

-- A line of the invoice is what a business unit pays for one service and one reason.
select
    described.* exclude (kind_order),
    invoice_id || '-' || lpad(
        cast(
            dense_rank() over (
                partition by invoice_id
                order by service_id, kind_order, charge_category, origin_period_id, reference_invoice_id
            ) as varchar
        ),
        4,
        '0'
    ) as invoice_detail_id
from described
