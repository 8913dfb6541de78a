-- One row: the period of the bills.
select
    cast($created as timestamptz) as "BillingPeriodCreated",
    period_end as "BillingPeriodEnd",
    cast($updated as timestamptz) as "BillingPeriodLastUpdated",
    period_start as "BillingPeriodStart",
    if($issued is null, 'Open', 'Closed') as "BillingPeriodStatus",
    $issuer as "InvoiceIssuerName"
from dim_periods
where period_id = $period
