-- What is unknown, with a name, an amount and what to do. Nothing of it is hidden in a total.
with unmapped_lines as (
    select
        scenario_id,
        period_id,
        version,
        'unmapped_account' as item_kind,
        account_id as item_key,
        coalesce(max(account_name), 'account ' || account_id) as item_name,
        sum(amount) as amount,
        'No pool rule matches this account: add one to cost_model/pools.yml' as what_to_do
    from {{ ref('fct_ledger_lines') }}
    where disposition = 'unmapped'
    group by scenario_id, period_id, version, account_id
),

unmatched_towers as (
    select
        scenario_id,
        period_id,
        version,
        'unmapped_pool' as item_kind,
        cost_pool_id as item_key,
        'pool ' || cost_pool_id as item_name,
        {{ units_to_amount('sum(amount_units)') }} as amount,
        'No tower rule matches this pool money: add one to cost_model/towers.yml' as what_to_do
    from {{ ref('int_cost_pools__cells') }}
    where disposition = 'allocated' and tower_rule_id is null
    group by all
),

unmatched_services as (
    select
        scenario_id,
        period_id,
        version,
        'unmapped_tower' as item_kind,
        tower_id as item_key,
        'tower ' || tower_id as item_name,
        {{ units_to_amount('sum(amount_units)') }} as amount,
        'No service rule or no known service takes this tower money: see cost_model/allocation.yml' as what_to_do
    from {{ ref('int_services__cells') }}
    where service_id = '(unmapped)' and cost_pool_id <> '(unmapped)' and tower_id <> '(unmapped)'
    group by all
),

unallocated_stops as (
    select
        scenario_id,
        period_id,
        version,
        'unallocated' as item_kind,
        tower_id as item_key,
        'tower ' || tower_id as item_name,
        {{ units_to_amount('sum(amount_units)') }} as amount,
        'The rule of this money has a driver without quantities: deliver it or declare a fallback' as what_to_do
    from {{ ref('int_services__cells') }}
    where disposition = 'unallocated'
    group by all
),

unallocated_services as (
    select
        charges.scenario_id,
        charges.period_id,
        charges.version,
        'unallocated' as item_kind,
        charges.service_id as item_key,
        charges.service_name as item_name,
        sum(charges.cost_amount) as amount,
        case
            when splits.method = 'capacity'
                then 'Its use or its practical capacity is not known: deliver both, or declare a fallback'
            -- A service that only the bill defines has the consumers of its lines.
            when catalogue.service_id is null
                then 'Lines of the bill name no consumer: a rule in cost_model/tagging.yml gives them one, or a service'
            else 'Nobody is known to have used this service: deliver its driver, declare a fallback, or retire it'
        end as what_to_do
    from {{ ref('fct_charges_monthly') }} as charges
    left join {{ ref('stg_model__split_parts') }} as splits
        on splits.stop_code = 'consumers'
        and splits.part_code <> 'residual'
        and charges.service_id = splits.rule_id
    left join {{ ref('stg_model__services') }} as catalogue
        on charges.service_id = catalogue.service_id
    where charges.disposition = 'unallocated' and charges.service_id not like '(%'
    group by all
),

-- Split by use alone, as if it had capacity for all of it.
over_capacity as (
    select
        capacities.scenario_id,
        capacities.period_id,
        versions.version,
        'over_capacity' as item_kind,
        capacities.sender_id as item_key,
        'use of ' || rtrim(rtrim(cast(capacities.used_quantity as varchar), '0'), '.')
        || ' of ' || rtrim(rtrim(cast(capacities.practical_quantity as varchar), '0'), '.')
        || ' ' || capacities.unit_code as item_name,
        cast(null as decimal(38, 8)) as amount,
        'It was used above its practical capacity, and is split by use: correct the capacity or the use'
            as what_to_do
    from {{ ref('drv_idle_capacity') }} as capacities
    inner join {{ ref('stg_model__period_versions') }} as versions
        on capacities.scenario_id = versions.scenario_id and capacities.period_id = versions.period_id
    where capacities.used_quantity > capacities.practical_quantity
),

unmapped_consumers as (
    select
        scenario_id,
        period_id,
        version,
        'unmapped_consumer' as item_kind,
        cost_centre_id as item_key,
        cost_centre_id || ' uses ' || service_name as item_name,
        sum(cost_amount) as amount,
        'No master knows this consumer: add it to the cost centres, or correct the delivery' as what_to_do
    from {{ ref('fct_charges_monthly') }}
    where disposition = 'unmapped' and service_id not like '(%'
    group by all
),

unknown_services as (
    select
        usage.scenario_id,
        usage.period_id,
        versions.version,
        'unknown_service' as item_kind,
        usage.service_id as item_key,
        'use of ' || usage.service_id || ' by ' || count(*) || ' receivers' as item_name,
        cast(null as decimal(38, 8)) as amount,
        'The catalogue does not know this service: add it to cost_model/services.yml, or correct the delivery'
            as what_to_do
    from {{ ref('met_service_usage') }} as usage
    inner join {{ ref('stg_model__period_versions') }} as versions
        on usage.scenario_id = versions.scenario_id and usage.period_id = versions.period_id
    anti join {{ ref('int_services__known') }} as services on usage.service_id = services.service_id
    group by usage.scenario_id, usage.period_id, versions.version, usage.service_id
),

wrong_units as (
    select
        usage.scenario_id,
        usage.period_id,
        versions.version,
        'wrong_unit' as item_kind,
        usage.service_id as item_key,
        'use in ' || usage.unit_code || ' instead of ' || services.unit_code as item_name,
        cast(null as decimal(38, 8)) as amount,
        'Use in another unit than the catalogue''s does not count: correct the delivery or the catalogue'
            as what_to_do
    from {{ ref('met_service_usage') }} as usage
    inner join {{ ref('stg_model__services') }} as services
        on usage.service_id = services.service_id and usage.unit_code <> services.unit_code
    inner join {{ ref('stg_model__period_versions') }} as versions
        on usage.scenario_id = versions.scenario_id and usage.period_id = versions.period_id
    group by all
),

latest as (
    select
        max(period_id) as period_id,
        max_by(version, period_id) as version
    from {{ ref('stg_model__period_versions') }}
    where scenario_id = 'actual'
),

quarantined as (
    select
        'actual' as scenario_id,
        case
            when quarantine.period_id = '(unknown)' then quarantine.period_id
            else coalesce(versions.period_id, latest.period_id)
        end as period_id,
        case
            when quarantine.period_id = '(unknown)' then 1
            else coalesce(versions.version, latest.version)
        end as version,
        if(quarantine.period_id = '(unknown)', 'period_unknown', 'quarantined') as item_kind,
        quarantine.source_id || '/' || quarantine.file_name as item_key,
        {{ count_records('sum(quarantine.record_count)') }} || ' in quarantine of ' || quarantine.file_name
        || if(quarantine.period_id = '(unknown)', ', period unknown', '')
        || coalesce(
            '; not in the amount: '
            || {{ stated_beside(
                'quarantine.unreadable_count',
                'if(quarantine.amount_units is null, coalesce(quarantine.amount_local, 0), 0)',
                'quarantine.currency_code',
            ) }},
            ''
        ) as item_name,
        -- Amounts without a rate are not money of the reporting currency and not added to it.
        {{ units_to_amount('sum(quarantine.amount_units)') }} as amount,
        'Records broke their contract: ' || min(quarantine.reason)
        || if(
            quarantine.period_id = '(unknown)',
            '. Until they are released with their period or discarded, no period can be closed',
            ''
        ) as what_to_do
    from {{ ref('int_ledger__quarantined') }} as quarantine
    left join {{ ref('stg_model__period_versions') }} as versions
        on versions.scenario_id = 'actual' and quarantine.period_id = versions.period_id
    cross join latest
    -- A discarded record is settled: the certificate still counts it, nobody has to act.
    where quarantine.state_code = 'open'
    group by
        quarantine.source_id, quarantine.file_name, quarantine.period_id, versions.period_id, versions.version,
        latest.period_id, latest.version
),

first_period as (
    select min(period_id) as period_id
    from {{ ref('stg_model__period_versions') }}
    where scenario_id = 'actual'
),

-- A bill may come before the ledger of its month. It explains nothing then, and must not look lost.
early_feeds as (
    select
        costs.source_id,
        costs.currency_code,
        min(costs.period_id) as from_period_id,
        max(costs.period_id) as to_period_id,
        sum(costs.amount_local) as amount_local
    from {{ ref('met_cloud_costs') }} as costs
    inner join {{ ref('stg_model__feeds') }} as feeds on costs.source_id = feeds.source_id and feeds.has_claims
    inner join first_period on costs.period_id > first_period.period_id
    anti join {{ ref('stg_model__period_versions') }} as versions
        on versions.scenario_id = 'actual' and costs.period_id = versions.period_id
    where costs.scenario_id = 'actual'
    group by costs.source_id, costs.currency_code
),

feeds_without_ledger as (
    select
        'actual' as scenario_id,
        latest.period_id,
        latest.version,
        'feed_without_ledger' as item_kind,
        early_feeds.source_id as item_key,
        early_feeds.source_id || ' explains '
        || string_agg(
            early_feeds.currency_code || ' ' || {{ shown_amount('early_feeds.amount_local') }}, ', '
            order by early_feeds.currency_code
        )
        || ' of ' || min(early_feeds.from_period_id)
        || case
            when min(early_feeds.from_period_id) < max(early_feeds.to_period_id)
                then ' to ' || max(early_feeds.to_period_id)
            else ''
        end
        || ', for which there is no ledger' as item_name,
        cast(null as decimal(38, 8)) as amount,
        'Deliver the ledger of the period; until then these lines count in none' as what_to_do
    from early_feeds
    cross join latest
    group by latest.period_id, latest.version, early_feeds.source_id
),

unusable_columns as (
    select
        versions.scenario_id,
        versions.period_id,
        versions.version,
        'unusable_column' as item_kind,
        findings.contract_id || '.' || findings.column_name as item_key,
        findings.scope_name || ': ' || findings.column_name as item_name,
        cast(null as decimal(38, 8)) as amount,
        findings.sentence as what_to_do
    from {{ ref('stg_model__findings') }} as findings
    inner join {{ ref('stg_model__period_versions') }} as versions on versions.scenario_id = 'actual'
),

-- What deliveries hold that no figure shows. What belongs to no period of the calendar, or to one
-- without cost, is shown in the latest.
notices as (
    select
        'actual' as scenario_id,
        coalesce(versions.period_id, latest.period_id) as period_id,
        coalesce(versions.version, latest.version) as version,
        notices.item_kind,
        notices.source_id as item_key,
        notices.item_name,
        cast(null as decimal(38, 8)) as amount,
        notices.what_to_do
    from {{ ref('stg_model__notices') }} as notices
    left join {{ ref('stg_model__period_versions') }} as versions
        on versions.scenario_id = 'actual' and notices.period_id = versions.period_id
    cross join latest
    where latest.period_id is not null
),

-- Their money is split all the same, so they have no amount: rpt_measure_next says how much it is.
stale_drivers as (
    select
        versions.scenario_id,
        versions.period_id,
        versions.version,
        'stale_driver' as item_kind,
        drivers.driver_id as item_key,
        'table of ' || drivers.driver_name || ', attested by ' || drivers.attested_by || ' on '
        || drivers.attested_on || ' until ' || drivers.attested_until as item_name,
        cast(null as decimal(38, 8)) as amount,
        'Ask ' || drivers.owner_name || ' to attest again: correct cost_model/drivers/' || drivers.driver_id
        || '.csv and the dates in cost_model/drivers.yml' as what_to_do
    from {{ ref('stg_model__drivers') }} as drivers
    inner join {{ ref('stg_model__period_versions') }} as versions on versions.scenario_id = 'actual'
    inner join {{ ref('stg_model__periods') }} as periods on versions.period_id = periods.period_id
    where periods.period_start >= drivers.attested_until
),

together as (
    select * from unmapped_lines
    union all
    select * from unmatched_towers
    union all
    select * from unmatched_services
    union all
    select * from unallocated_stops
    union all
    select * from unallocated_services
    union all
    select * from over_capacity
    union all
    select * from unmapped_consumers
    union all
    select * from unknown_services
    union all
    select * from wrong_units
    union all
    select * from quarantined
    union all
    select * from feeds_without_ledger
    union all
    select * from unusable_columns
    union all
    select * from notices
    union all
    select * from stale_drivers
)

select
    scenario_id,
    period_id,
    version,
    item_kind,
    item_key,
    item_name,
    cast(amount as decimal(38, 8)) as amount,
    what_to_do
from together
