-- A cloud line belongs to the period in which its billing period starts; where the periods of the
-- calendar are no months, to that in which its charge does. `seen_attributes` is what
-- tagging rules and the detail feed look at, and nothing else: lines that are equal in it are mapped
-- alike, so rules meet each combination once (int_tagging__matches).
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
        commitment_discount_status,
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
),

calendar as (
    select bool_and(day(period_start) = 1 and period_end = period_start + interval 1 month) as has_months
    from periods
),

scope as (
    select * from {{ ref('stg_model__tagging_scope') }}
),

-- The unused part of a commitment has a category of its own where the feed says so, so that rules can
-- send it elsewhere. Who used something pays one of its costs; the difference to what ties is a line.
priced as (
    select
        lines.* replace (
            case
                -- A fee is the unused part by its effective cost only; what is billed of it was used, too.
                when
                    lines.commitment_discount_status = 'Unused'
                    and (lines.charge_category = 'Usage' or feeds.measure = 'effective_cost')
                    then coalesce(feeds.unused_category, lines.service_category)
                else lines.service_category
            end as service_category
        ),
        case when feeds.measure = 'effective_cost' then lines.effective_cost else lines.billed_cost end as amount_local,
        case
            when (select has_months from calendar) then lines.billing_period_start
            else lines.charge_period_start
        end as period_moment,
        case
            when lines.charge_category <> 'Usage' or coalesce(lines.commitment_discount_status, '') = 'Unused' then null
            when feeds.consumers_pay = 'list_cost' then lines.list_cost
            when feeds.consumers_pay = 'contracted_cost' then lines.contracted_cost
        end as price_local
    from lines
    left join feeds on lines.source_id = feeds.source_id
)

select
    lines.* exclude (price_local, period_moment),
    periods.period_id,
    coalesce(lines.price_local, lines.amount_local) as passed_on_amount_local,
    struct_pack(
        period_id := periods.period_id,
        source_id := lines.source_id,
        provider_name := case when scope.looks_at_provider then lines.provider_name end,
        billing_account_id := case when scope.looks_at_billing_account then lines.billing_account_id end,
        sub_account_id := case when scope.looks_at_sub_account then lines.sub_account_id end,
        resource_id := case when scope.looks_at_resource then lines.resource_id end,
        service_category := case when scope.looks_at_service_category then lines.service_category end,
        service_name := case when scope.looks_at_service_name then lines.service_name end,
        region_id := case when scope.looks_at_region then lines.region_id end,
        charge_category := case when scope.looks_at_charge_category then lines.charge_category end,
        feed_service_id := {{ feed_value('feeds.service_from', 'lines') }},
        feed_consumer_id := {{ feed_value('feeds.consumer_from', 'lines') }},
        feed_consumer_name := {{ feed_value('feeds.consumer_name_from', 'lines') }},
        feed_business_unit_id := {{ feed_value('feeds.business_unit_from', 'lines') }},
        tag_values := {{ tag_values('lines.tags', 'scope.tag_pointers') }}
    ) as seen_attributes
from priced as lines
inner join periods
    on lines.period_moment >= periods.period_start
    and lines.period_moment < periods.period_end
left join feeds on lines.source_id = feeds.source_id
cross join scope
