-- Cost lines in their own currency: ledger lines, the lines of detail feeds in place of those that
-- they claim, and per period, entity, currency, account and cost centre one balancing line, so that
-- the sum is the ledger's to the last digit.
with settings as (
    select * from {{ ref('stg_model__settings') }}
),

feeds as (
    select * from {{ ref('stg_model__feeds') }}
),

claims as (
    select * from {{ ref('int_ledger__claims') }}
),

ledger as (
    select
        lines.scenario_id,
        lines.period_id,
        lines.source_id || ':' || lines.line_id as ledger_line_id,
        lines.source_id,
        lines.account_id,
        lines.cost_centre_id,
        lines.vendor_name,
        lines.legal_entity_id,
        cast(null as varchar) as category_name,
        lines.description,
        lines.document_id,
        lines.currency_code,
        lines.amount_local,
        cast(null as varchar) as tagged_service_id,
        cast(null as varchar) as tagged_consumer_id,
        cast(null as varchar) as service_rule_id,
        cast(null as varchar) as consumer_rule_id,
        lines.file_id,
        lines.row_number,
        false as is_balancing,
        claims.feed_source_id
    from {{ ref('stg_general_ledger__lines') }} as lines
    inner join settings
        on lines.source_id = settings.control_source_id or lines.scenario_id not in ('actual', 'restated')
    left join claims on lines.source_id = claims.source_id and lines.line_id = claims.line_id
),

budget as (
    select
        scenario_id,
        period_id,
        source_id || ':' || line_id as ledger_line_id,
        source_id,
        account_id,
        cost_centre_id,
        vendor_name,
        legal_entity_id,
        cast(null as varchar) as category_name,
        description,
        cast(null as varchar) as document_id,
        currency_code,
        amount_local,
        cast(null as varchar) as tagged_service_id,
        cast(null as varchar) as tagged_consumer_id,
        cast(null as varchar) as service_rule_id,
        cast(null as varchar) as consumer_rule_id,
        file_id,
        row_number,
        false as is_balancing,
        cast(null as varchar) as feed_source_id
    from {{ ref('stg_budget__lines') }}
),

bill_lines as (
    select
        costs.scenario_id,
        costs.period_id,
        costs.source_id || ':' || costs.cloud_line_key as ledger_line_id,
        costs.source_id,
        feeds.account_id,
        feeds.cost_centre_id,
        costs.provider_name as vendor_name,
        feeds.legal_entity_id,
        costs.service_category as category_name,
        concat_ws(', ', costs.provider_name, costs.service_name, costs.charge_category) as description,
        cast(null as varchar) as document_id,
        costs.currency_code,
        costs.passed_on_amount_local as amount_local,
        costs.tagged_service_id,
        costs.tagged_consumer_id,
        costs.service_rule_id,
        costs.consumer_rule_id,
        cast(null as varchar) as file_id,
        cast(null as bigint) as row_number,
        false as is_balancing,
        case when feeds.has_claims then feeds.source_id end as feed_source_id
    from {{ ref('met_cloud_costs') }} as costs
    inner join feeds on costs.source_id = feeds.source_id
    where feeds.has_claims or feeds.is_control_total
),

-- Where use is passed on at another cost than the one that ties, the difference stays in the feed.
discounts as (
    select
        costs.scenario_id,
        costs.period_id,
        concat_ws(':', costs.source_id, 'discount', costs.period_id, costs.provider_name, costs.currency_code)
            as ledger_line_id,
        costs.source_id,
        feeds.account_id,
        feeds.cost_centre_id,
        costs.provider_name as vendor_name,
        feeds.legal_entity_id,
        feeds.discount_category as category_name,
        concat_ws(', ', costs.provider_name, 'discounts that are not passed on') as description,
        cast(null as varchar) as document_id,
        costs.currency_code,
        sum(costs.amount_local) - sum(costs.passed_on_amount_local) as amount_local,
        cast(null as varchar) as tagged_service_id,
        cast(null as varchar) as tagged_consumer_id,
        cast(null as varchar) as service_rule_id,
        cast(null as varchar) as consumer_rule_id,
        cast(null as varchar) as file_id,
        cast(null as bigint) as row_number,
        false as is_balancing,
        case when feeds.has_claims then feeds.source_id end as feed_source_id
    from {{ ref('met_cloud_costs') }} as costs
    inner join feeds on costs.source_id = feeds.source_id
    where feeds.consumers_pay <> 'measure' and (feeds.has_claims or feeds.is_control_total)
    group by all
    having sum(costs.amount_local) <> sum(costs.passed_on_amount_local)
),

depreciation_lines as (
    select
        months.scenario_id,
        months.period_id,
        concat_ws(':', months.source_id, months.period_id, months.asset_id) as ledger_line_id,
        months.source_id,
        feeds.account_id,
        months.cost_centre_id,
        cast(null as varchar) as vendor_name,
        months.legal_entity_id,
        months.asset_class as category_name,
        'depreciation of ' || months.asset_name as description,
        cast(null as varchar) as document_id,
        months.currency_code,
        months.depreciation_amount_local as amount_local,
        cast(null as varchar) as tagged_service_id,
        cast(null as varchar) as tagged_consumer_id,
        cast(null as varchar) as service_rule_id,
        cast(null as varchar) as consumer_rule_id,
        months.file_id,
        months.row_number,
        false as is_balancing,
        feeds.source_id as feed_source_id
    from {{ ref('met_depreciation') }} as months
    inner join feeds on months.source_id = feeds.source_id and feeds.has_claims
    where months.depreciation_amount_local <> 0
),

feed_lines as (
    select * from bill_lines
    union all
    select * from discounts
    union all
    select * from depreciation_lines
),

claimed as (
    select
        scenario_id,
        period_id,
        feed_source_id,
        account_id,
        cost_centre_id,
        legal_entity_id,
        currency_code,
        sum(amount_local) as amount_local
    from ledger
    where feed_source_id is not null
    group by all
),

explained as (
    select
        scenario_id,
        period_id,
        feed_source_id,
        account_id,
        cost_centre_id,
        legal_entity_id,
        currency_code,
        sum(amount_local) as amount_local
    from feed_lines
    where feed_source_id is not null
    group by all
),

balancing as (
    select
        scenario_id,
        period_id,
        concat_ws(
            ':', 'balance', feed_source_id, period_id, legal_entity_id, account_id, cost_centre_id, currency_code
        ) as ledger_line_id,
        feed_source_id as source_id,
        account_id,
        cost_centre_id,
        cast(null as varchar) as vendor_name,
        legal_entity_id,
        cast(null as varchar) as category_name,
        'not explained by the detail feed ' || feed_source_id as description,
        cast(null as varchar) as document_id,
        currency_code,
        coalesce(claimed.amount_local, 0) - coalesce(explained.amount_local, 0) as amount_local,
        cast(null as varchar) as tagged_service_id,
        cast(null as varchar) as tagged_consumer_id,
        cast(null as varchar) as service_rule_id,
        cast(null as varchar) as consumer_rule_id,
        cast(null as varchar) as file_id,
        cast(null as bigint) as row_number,
        true as is_balancing,
        feed_source_id
    from claimed
    full outer join explained
        using (scenario_id, period_id, feed_source_id, account_id, cost_centre_id, legal_entity_id, currency_code)
    where coalesce(claimed.amount_local, 0) <> coalesce(explained.amount_local, 0)
),

lines as (
    select * from ledger
    where feed_source_id is null
    union all
    select * from budget
    union all
    select * from feed_lines
    union all
    select * from balancing
)

select
    lines.* exclude (feed_source_id),
    versions.version
from lines
inner join {{ ref('stg_model__period_versions') }} as versions
    on lines.scenario_id = versions.scenario_id and lines.period_id = versions.period_id
