-- A cloud line belongs to the period in which its billing period starts.
with lines as (
    select
        _scenario_id as scenario_id,
        provider_name,
        billing_account_id,
        billing_period_start,
        billing_period_end,
        charge_period_start,
        charge_period_end,
        charge_category,
        charge_class,
        charge_description,
        service_category,
        service_name,
        sub_account_id,
        sub_account_name,
        resource_id,
        region_id,
        consumed_quantity,
        consumed_unit,
        invoice_id,
        billing_currency,
        billed_cost,
        effective_cost,
        list_cost,
        contracted_cost,
        tags,
        _source_id as source_id,
        _file_id as file_id,
        _row_number as row_number
    from {{ source('lake', 'cloud_bill') }}
),

feeds as (
    select * from {{ ref('stg_model__feeds') }}
),

periods as (
    select * from {{ ref('stg_model__periods') }}
)

select
    lines.*,
    periods.period_id,
    {{ feed_value('feeds.service_from', 'lines') }} as tagged_service_id,
    {{ feed_value('feeds.consumer_from', 'lines') }} as tagged_consumer_id,
    {{ feed_value('feeds.consumer_name_from', 'lines') }} as tagged_consumer_name,
    {{ feed_value('feeds.business_unit_from', 'lines') }} as tagged_business_unit_id,
    case when feeds.measure = 'effective_cost' then lines.effective_cost else lines.billed_cost end as amount_local
from lines
inner join periods
    on lines.billing_period_start >= periods.period_start
    and lines.billing_period_start < periods.period_end
left join feeds on lines.source_id = feeds.source_id
