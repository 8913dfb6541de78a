-- Cost lines in their own currency: ledger lines, the lines of detail feeds in place of those that
-- they claim, and per period, entity, currency, account and cost centre balancing lines, so that the
-- sum is the ledger's to the last digit. A balancing line says why it is there: what the feed does not
-- explain, what the ledger has not posted yet, and what it posts later than the feed explained it.
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

-- Above zero where the ledger has more than its feed explains.
gaps as (
    select
        scenario_id,
        period_id,
        feed_source_id,
        account_id,
        cost_centre_id,
        legal_entity_id,
        currency_code,
        claimed.feed_source_id is not null as is_posted,
        coalesce(claimed.amount_local, 0) - coalesce(explained.amount_local, 0) as gap_local
    from claimed
    full outer join explained
        using (scenario_id, period_id, feed_source_id, account_id, cost_centre_id, legal_entity_id, currency_code)
),

first_periods as (
    select
        scenario_id,
        min(period_id) as period_id
    from {{ ref('stg_model__period_versions') }}
    group by scenario_id
),

-- An invoice is booked for an entity, in a currency; on which cost centre is the ledger's affair.
invoices as (
    select
        gaps.scenario_id,
        gaps.period_id,
        gaps.feed_source_id,
        gaps.legal_entity_id,
        gaps.currency_code,
        bool_or(gaps.is_posted) as is_posted,
        sum(gaps.gap_local) as gap_local
    from gaps
    -- What a feed explained before there was a ledger waits for no posting.
    inner join first_periods
        on gaps.scenario_id = first_periods.scenario_id and gaps.period_id >= first_periods.period_id
    group by all
),

-- What waits for its posting grows where there is none, and falls by what a later posting has beyond its
-- own month, never below zero: a running total less its lowest point. Costs and credits wait apart.
changes as (
    select
        invoices.*,
        directions.direction,
        case
            when invoices.is_posted then -greatest(invoices.gap_local * directions.direction, 0)
            else greatest(-invoices.gap_local * directions.direction, 0)
        end as change
    from invoices
    cross join (values (1), (-1)) as directions (direction)
),

waiting as (
    select
        *,
        sum(change) over (
            partition by scenario_id, feed_source_id, legal_entity_id, currency_code, direction
            order by period_id
            rows between unbounded preceding and current row
        ) as running_local
    from changes
),

floored as (
    select
        *,
        running_local - least(0, min(running_local) over (
            partition by scenario_id, feed_source_id, legal_entity_id, currency_code, direction
            order by period_id
            rows between unbounded preceding and current row
        )) as waiting_local
    from waiting
),

late as (
    select
        *,
        lag(waiting_local, 1, 0) over (
            partition by scenario_id, feed_source_id, legal_entity_id, currency_code, direction
            order by period_id
        ) - waiting_local as late_local
    from floored
),

-- A late posting is named on the cost centres that have more than they explain, in their order.
named_gaps as (
    select
        gaps.*,
        late.direction,
        invoices.is_posted as is_invoiced,
        coalesce(late.late_local, 0) as late_local,
        sum(greatest(gaps.gap_local * late.direction, 0)) over (
            partition by
                gaps.scenario_id, gaps.period_id, gaps.feed_source_id, gaps.legal_entity_id, gaps.currency_code
            order by gaps.account_id, gaps.cost_centre_id
            rows between unbounded preceding and current row
        ) as gap_to,
        greatest(gaps.gap_local * late.direction, 0) as own_gap
    from gaps
    left join invoices
        using (scenario_id, period_id, feed_source_id, legal_entity_id, currency_code)
    left join late
        on late.late_local > 0
        and invoices.is_posted
        and gaps.scenario_id = late.scenario_id
        and gaps.period_id = late.period_id
        and gaps.feed_source_id = late.feed_source_id
        and gaps.legal_entity_id = late.legal_entity_id
        and gaps.currency_code = late.currency_code
),

gap_parts as (
    select
        *,
        coalesce(
            direction * (least(gap_to, late_local) - least(gap_to - own_gap, late_local)), 0
        ) as posted_late_local
    from named_gaps
),

balancing_parts as (
    select
        * exclude (gap_local, posted_late_local),
        'balance' as prefix,
        if(is_invoiced is not false, 'unexplained', 'not_yet_posted') as balancing_kind,
        if(
            is_invoiced is not false,
            'not explained by the detail feed ' || feed_source_id,
            'not yet posted, explained by the detail feed ' || feed_source_id
        ) as description,
        gap_local - posted_late_local as amount_local
    from gap_parts
    union all by name
    select
        * exclude (gap_local, posted_late_local),
        'late' as prefix,
        'posted_late' as balancing_kind,
        'posted late, explained by the detail feed ' || feed_source_id || ' in an earlier period' as description,
        posted_late_local as amount_local
    from gap_parts
),

balancing as (
    select
        scenario_id,
        period_id,
        concat_ws(
            ':', prefix, feed_source_id, period_id, legal_entity_id, account_id, cost_centre_id, currency_code
        ) as ledger_line_id,
        feed_source_id as source_id,
        account_id,
        cost_centre_id,
        cast(null as varchar) as vendor_name,
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
        cast(null as varchar) as file_id,
        cast(null as bigint) as row_number,
        true as is_balancing,
        feed_source_id,
        balancing_kind
    from balancing_parts
    where amount_local <> 0
),

lines as (
    select * from ledger
    where feed_source_id is null
    union all
    select * from budget
    union all
    select * from feed_lines
    union all by name
    select * from balancing
)

select
    lines.* exclude (feed_source_id),
    versions.version
from lines
inner join {{ ref('stg_model__period_versions') }} as versions
    on lines.scenario_id = versions.scenario_id and lines.period_id = versions.period_id
