-- One row per line of an invoice: what a business unit pays for one service and one reason. A row of
-- cost_and_usage names the line that it is in.
select
    sum(amount) as "BilledCost",
    business_unit_id as "BillingAccountId",
    $currency as "BillingCurrency",
    any_value(periods.period_end) as "BillingPeriodEnd",
    any_value(periods.period_start) as "BillingPeriodStart",
    charge_category as "ChargeCategory",
    cast($created as timestamptz) as "InvoiceDetailCreated",
    items.service_name || case item_kind
        when 'charge' then ''
        when 'correction' then ', correction of ' || origin_period_id
        when 'adjustment' then ', adjustment of ' || origin_period_id
        when 'service_credit' then ', service credit for ' || origin_period_id
        when 'mark_up' then ', mark-up'
        when 'tax' then ', tax'
        when 'true_up' then ', true-up of the year'
    end as "InvoiceDetailDescription",
    '{"ResourceId":' || to_json(service_id) || ',"ServiceName":' || to_json(items.service_name)
    || ',"x_BillItemKind":' || to_json(item_kind) || ',"x_OriginPeriod":' || to_json(origin_period_id) || '}'
        as "InvoiceDetailGrain",
    invoice_detail_id as "InvoiceDetailId",
    cast($updated as timestamptz) as "InvoiceDetailLastUpdated",
    invoice_id as "InvoiceId",
    cast($issued as timestamptz) as "InvoiceIssueDate",
    if($issued is null, 'Open', 'Issued') as "InvoiceIssueStatus",
    $issuer as "InvoiceIssuerName",
    $currency as "PaymentCurrency",
    sum(amount) as "PaymentCurrencyBilledCost",
    invoice_detail_id as "PaymentCurrencyInvoiceDetailId",
    $payment_terms as "PaymentTerms",
    reference_invoice_id as "ReferenceInvoiceId"
from focus_items as items
inner join dim_periods as periods on items.period_id = periods.period_id
group by
    business_unit_id, charge_category, items.service_name, item_kind, origin_period_id, service_id,
    invoice_detail_id, invoice_id, reference_invoice_id
order by "InvoiceId", "InvoiceDetailId"
