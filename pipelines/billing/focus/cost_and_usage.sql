-- One row per item of a bill. The cost of a service is the origin charge, the cost centres are what
-- it is allocated to: a charge says its part of what the service charges in the period, and all parts
-- of a service are 1. The part is the difference of two running totals, cut off after twelve digits,
-- so that what is cut off one part is in the next.
with parts as (
    select
        bill_item_id,
        cast(amount * 100 as hugeint) as cents,
        cast(sum(amount) over (partition by service_id) * 100 as hugeint) as service_cents,
        cast(
            sum(amount) over (
                partition by service_id order by cost_centre_id, bill_item_id rows unbounded preceding
            ) * 100 as hugeint
        ) as running_cents
    from focus_items
    where item_kind = 'charge'
),

ratios as (
    select
        bill_item_id,
        cast(
            running_cents * 1000000000000 // service_cents
            - (running_cents - cents) * 1000000000000 // service_cents
            as decimal(26, 0)
        ) * cast('0.000000000001' as decimal(12, 12)) as ratio
    from parts
    where service_cents <> 0
),

pools as (
    select
        service_id,
        cost_centre_id,
        '{' || string_agg(to_json(cost_pool_id) || ':' || amount, ',' order by cost_pool_id) || '}' as costs
    from (
        select service_id, cost_centre_id, cost_pool_id, sum(amount) as amount
        from fct_charge_breakdown_monthly
        where scenario_id = 'actual' and period_id = $period and version = $version
        group by service_id, cost_centre_id, cost_pool_id
    )
    group by service_id, cost_centre_id
),

catalogue as (
    select
        service_id,
        unit_code,
        unit_name,
        coalesce(
            nullif(list_extract($focus_categories, list_position($own_categories, lower(category_name))), ''),
            'Other'
        ) as service_category
    from dim_services
),

priced as (
    select
        items.*,
        coalesce(catalogue.service_category, 'Other') as service_category,
        ratios.ratio,
        pools.costs,
        items.item_kind = 'charge' as is_charge,
        if(items.amount < 0, -1, 1) as direction,
        if(
            items.unit_code = catalogue.unit_code, coalesce(catalogue.unit_name, items.unit_code), items.unit_code
        ) as unit_label,
        -- What is not measured is used for a month, and costs what it costs.
        if(is_charge, if(has_quantity, abs(items.quantity), 1), null) as used_quantity,
        case
            when not is_charge then null
            when has_quantity then coalesce(upper(unit_label[1]) || unit_label[2:], 'Units')
            else 'Months'
        end as unit_name,
        -- A price is never negative: where less than nothing is charged, the quantity is.
        direction * used_quantity as pricing_quantity,
        case
            when is_charge and has_quantity then abs(items.unit_rate)
            when is_charge then abs(items.amount)
        end as unit_price,
        case when is_charge then unit_price * pricing_quantity else items.amount end as contracted_cost,
        origins.period_start as charge_start,
        origins.period_end as charge_end,
        now.period_start,
        now.period_end
    from focus_items as items
    inner join dim_periods as now on items.period_id = now.period_id
    inner join dim_periods as origins on items.origin_period_id = origins.period_id
    left join ratios on items.bill_item_id = ratios.bill_item_id and items.item_kind = 'charge'
    left join pools
        on items.service_id = pools.service_id
        and items.cost_centre_id = pools.cost_centre_id
        and items.item_kind = 'charge'
    left join catalogue on items.service_id = catalogue.service_id
)

select
    case
        when ratio is not null
            then '{"Elements":[{"AllocatedRatio":' || ratio
                || case
                    when has_quantity
                        then ',"UsageUnit":' || to_json(unit_name) || ',"UsageQuantity":'
                            || rtrim(rtrim(cast(quantity as varchar), '0'), '.')
                    else ''
                end
                || '}]}'
    end as "AllocatedMethodDetails",
    if(is_charge, coalesce(driver_name, 'Direct'), null) as "AllocatedMethodId",
    if(is_charge, cost_centre_id, null) as "AllocatedResourceId",
    if(is_charge, cost_centre_name, null) as "AllocatedResourceName",
    amount as "BilledCost",
    business_unit_id as "BillingAccountId",
    business_unit_name as "BillingAccountName",
    'Business unit' as "BillingAccountType",
    $currency as "BillingCurrency",
    period_end as "BillingPeriodEnd",
    period_start as "BillingPeriodStart",
    charge_category as "ChargeCategory",
    charge_class as "ChargeClass",
    what || coalesce(': ' || reason, '') as "ChargeDescription",
    case
        when is_charge and has_quantity then 'Usage-Based'
        when item_kind in ('charge', 'mark_up', 'tax') then 'Recurring'
        else 'One-Time'
    end as "ChargeFrequency",
    charge_end as "ChargePeriodEnd",
    charge_start as "ChargePeriodStart",
    used_quantity as "ConsumedQuantity",
    unit_name as "ConsumedUnit",
    contracted_cost as "ContractedCost",
    unit_price as "ContractedUnitPrice",
    amount as "EffectiveCost",
    invoice_detail_id as "InvoiceDetailId",
    invoice_id as "InvoiceId",
    $issuer as "InvoiceIssuerName",
    contracted_cost as "ListCost",
    unit_price as "ListUnitPrice",
    case
        when not is_charge then null
        -- The price of what is charged at cost is known when the cost is.
        when charging_policy in ('at_cost', 'cost_plus') then 'Dynamic'
        else 'Standard'
    end as "PricingCategory",
    $currency as "PricingCurrency",
    unit_price as "PricingCurrencyContractedUnitPrice",
    amount as "PricingCurrencyEffectiveCost",
    unit_price as "PricingCurrencyListUnitPrice",
    pricing_quantity as "PricingQuantity",
    unit_name as "PricingUnit",
    $issuer as "ProviderName",
    $issuer as "PublisherName",
    service_id as "ResourceId",
    service_name as "ResourceName",
    'IT service' as "ResourceType",
    service_category as "ServiceCategory",
    service_name as "ServiceName",
    $issuer as "ServiceProviderName",
    'Other (' || service_category || ')' as "ServiceSubcategory",
    if(charge_category = 'Tax', null, service_id) as "SkuId",
    if(charge_category = 'Tax', null, coalesce(driver_name, service_name)) as "SkuMeter",
    if(charge_category = 'Tax', null, service_id) as "SkuPriceId",
    cost_centre_id as "SubAccountId",
    cost_centre_name as "SubAccountName",
    'Cost centre' as "SubAccountType",
    '{"apportion/LegalEntity":' || to_json(legal_entity_id) || '}' as "Tags",
    bill_item_id as "x_BillItemId",
    item_kind as "x_BillItemKind",
    costs as "x_CostPools"
from priced
order by "InvoiceId", "InvoiceDetailId", "SubAccountId", "x_BillItemId"
