-- What to measure next: money whose way was declared, estimated or not known, the largest first.
-- One amount may stand in several rows, one per stop that it passed; rows are ranked, never summed.
{% set qualities = ['measured', 'estimated', 'stale', 'fallback'] %}
with tower_money as (
    select
        scenario_id,
        period_id,
        version,
        tower_rule_id as rule_id,
        cost_centre_id as sender_id,
        sum(amount_units) as amount_units
    from {{ ref('int_cost_pools__cells') }}
    where disposition = 'allocated' and tower_rule_id is not null
    group by all
),

service_money as (
    select
        cells.scenario_id,
        cells.period_id,
        cells.version,
        matches.rule_id,
        cells.tower_id as sender_id,
        sum(cells.amount_units) as amount_units
    from {{ ref('int_towers__cells') }} as cells
    inner join {{ ref('int_services__rule_matches') }} as matches
        on cells.scenario_id = matches.scenario_id
        and cells.period_id = matches.period_id
        and cells.tower_id = matches.tower_id
        and cells.cost_pool_id = matches.cost_pool_id
        and (cells.tagged_service_id is not null) = matches.is_tagged
    where cells.disposition = 'allocated' and matches.rule_id is not null and not matches.to_tagged_service
    group by all
),

-- How sure a rule's split is: as sure as its least sure receiver.
weights as (
    {% for stop, rules in [('towers', 'stg_model__tower_rules'), ('services', 'stg_model__service_rules')] %}
    select
        '{{ stop }}' as stop_code,
        weights.scenario_id,
        weights.period_id,
        weights.version,
        weights.rule_id,
        weights.sender_id,
        rules.method,
        rules.driver_id,
        max(list_position({{ qualities }}, weights.driver_quality)) as quality_rank,
        count(distinct weights.receiver_id) as receiver_count,
        bool_or(weights.receiver_kind = 'unallocated') as is_held
    from {{ ref('int_' ~ stop ~ '__weights') }} as weights
    inner join {{ ref(rules) }} as rules on weights.rule_id = rules.rule_id
    group by all
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

money as (
    select
        'towers' as stop_code,
        *
    from tower_money
    union all
    select
        'services' as stop_code,
        *
    from service_money
),

rule_items as (
    select
        money.stop_code,
        money.scenario_id,
        money.period_id,
        money.version,
        case
            when weights.method in ('driver', 'weighted') then {{ qualities }}[weights.quality_rank]
            when weights.method = 'even' then 'even'
            else 'declared'
        end as basis_code,
        'rule' as subject_kind,
        money.rule_id as subject_id,
        'rule ' || money.rule_id as subject_name,
        weights.driver_id,
        {{ units_to_amount('sum(money.amount_units)') }} as amount,
        max(weights.receiver_count) as receiver_count
    from money
    inner join weights
        on money.stop_code = weights.stop_code
        and money.scenario_id = weights.scenario_id
        and money.period_id = weights.period_id
        and money.version = weights.version
        and money.rule_id = weights.rule_id
        and money.sender_id is not distinct from weights.sender_id
    where
        -- Held money is an open item; what has one receiver is not split.
        not weights.is_held
        and weights.receiver_count > 1
        and (weights.method not in ('driver', 'weighted') or weights.quality_rank > 1)
    group by all
),

service_items as (
    select
        'consumers' as stop_code,
        charges.scenario_id,
        charges.period_id,
        charges.version,
        case
            when splits.method = 'fixed' then 'declared'
            when splits.method = 'even' then 'even'
            -- Without a quantity a fallback split it evenly.
            else charges.driver_quality
        end as basis_code,
        'service' as subject_kind,
        charges.service_id as subject_id,
        charges.service_name as subject_name,
        max(charges.driver_id) as driver_id,
        cast(sum(charges.cost_amount) as decimal(38, 8)) as amount,
        count(*) as receiver_count
    from {{ ref('fct_charges_monthly') }} as charges
    left join {{ ref('stg_model__split_parts') }} as splits
        on splits.stop_code = 'consumers'
        and splits.part_code <> 'residual'
        and charges.service_id = splits.rule_id
    where
        charges.disposition = 'allocated'
        and (charges.driver_quality <> 'measured' or splits.method in ('fixed', 'even'))
    group by all
    having count(*) > 1
),

open_items as (
    select
        'open' as stop_code,
        items.scenario_id,
        items.period_id,
        items.version,
        case
            when items.item_kind in ('unallocated', 'quarantined') then items.item_kind
            else 'unmapped'
        end as basis_code,
        case items.item_kind
            when 'unmapped_account' then 'account'
            when 'unmapped_pool' then 'pool'
            when 'unmapped_tower' then 'tower'
            when 'unmapped_consumer' then 'cost_centre'
            when 'quarantined' then 'file'
            else case when services.service_id is null then 'tower' else 'service' end
        end as subject_kind,
        items.item_key as subject_id,
        min(items.item_name) as subject_name,
        any_value(case when items.item_kind = 'unallocated' then services.driver_id end) as driver_id,
        sum(items.amount) as amount,
        0 as receiver_count,
        min(items.item_kind) as item_kind,
        min(items.what_to_do) as what_to_do
    from {{ ref('rpt_open_items') }} as items
    left join {{ ref('stg_model__services') }} as services
        on items.item_kind = 'unallocated' and items.item_key = services.service_id
    where items.amount is not null
    group by all
),

together as (
    select * from rule_items
    union all
    select * from service_items
    union all
    select * exclude (item_kind, what_to_do) from open_items
),

-- What a driver of each kind is delivered as: the contract and the columns that carry it.
deliveries (driver_kind, contract_id, column_names) as (
    values
    ('service_usage', 'service_usage', 'period_id, service_id, receiver_kind, receiver_id, quantity, unit_code'),
    ('licence_seats', 'licences', 'period_id, product_id, product_name, service_id, cost_centre_id, seats_quantity'),
    ('headcount', 'headcount', 'period_id, cost_centre_id, headcount_quantity'),
    (
        'ticket_count', 'tickets',
        'ticket_id, ticket_type, service_id, cost_centre_id, priority, opened_at, effort_minutes'
    ),
    (
        'ticket_effort', 'tickets',
        'ticket_id, ticket_type, service_id, cost_centre_id, priority, opened_at, effort_minutes'
    ),
    (
        'timesheet_hours_by_tower', 'timesheets',
        'entry_id, period_id, cost_centre_id, tower_id, hours_quantity'
    ),
    (
        'timesheet_hours_by_service', 'timesheets',
        'entry_id, period_id, cost_centre_id, tower_id, service_id, hours_quantity'
    ),
    ('asset_capacity', 'asset_relations', 'from_kind, from_id, to_kind, to_id, share_weight'),
    ('cloud_cost', 'cloud_bill', 'billing_period_start, service_name, billing_currency, billed_cost, tags'),
    ('cost_centres', 'cost_centres', 'cost_centre_id, cost_centre_name, business_unit_id, business_unit_name')
),

deliver as (
    select
        *,
        'Deliver ' || contract_id || ' (' || column_names || ')' as sentence
    from deliveries
),

wanted as (
    select
        together.*,
        drivers.driver_name,
        drivers.owner_name as driver_owner_name,
        case
            -- Heads that are marked estimated stand in for use; then use itself is to be measured.
            when together.basis_code = 'estimated' and drivers.driver_kind = 'headcount' then 'service_usage'
            when together.basis_code in ('estimated', 'stale', 'fallback') then drivers.driver_kind
            when together.basis_code = 'unallocated' and drivers.driver_kind is not null then drivers.driver_kind
            when together.basis_code = 'unallocated' then 'service_usage'
            when together.stop_code = 'towers' then 'timesheet_hours_by_tower'
            when together.stop_code = 'services' then 'timesheet_hours_by_service'
            when together.stop_code = 'consumers' then 'service_usage'
            when together.subject_kind = 'cost_centre' then 'cost_centres'
        end as driver_kind
    from together
    left join {{ ref('stg_model__drivers') }} as drivers on together.driver_id = drivers.driver_id
),

-- The fiscal year up to the period, whatever the split rested on in each of its periods.
summed as (
    select
        wanted.*,
        periods.fiscal_year,
        sum(wanted.amount) over (
            partition by
                wanted.scenario_id, periods.fiscal_year, wanted.stop_code, wanted.subject_kind, wanted.subject_id
            order by wanted.period_id
            range between unbounded preceding and current row
        ) as year_amount
    from wanted
    inner join {{ ref('dim_periods') }} as periods on wanted.period_id = periods.period_id
)

select
    summed.scenario_id,
    summed.period_id,
    summed.version,
    cast(row_number() over (
        partition by summed.scenario_id, summed.period_id, summed.version
        order by
            abs(summed.amount) desc,
            abs(summed.year_amount) desc,
            summed.stop_code asc,
            summed.basis_code asc,
            summed.subject_kind asc,
            summed.subject_id asc
    ) as integer) as measure_rank,
    summed.stop_code,
    summed.basis_code,
    summed.subject_kind,
    summed.subject_id,
    summed.subject_name,
    summed.driver_id,
    summed.driver_name,
    deliver.contract_id,
    deliver.column_names,
    cast(summed.amount as decimal(38, 8)) as amount,
    cast(summed.year_amount as decimal(38, 8)) as year_amount,
    case
        when summed.stop_code = 'open' then open_items.what_to_do
        when summed.driver_kind = 'table' and summed.basis_code = 'stale'
            then 'Ask ' || summed.driver_owner_name || ' to attest the table of ' || summed.driver_name || ' again'
        when summed.driver_kind = 'table'
            then 'Ask ' || summed.driver_owner_name || ' to measure what is typed in for ' || summed.driver_name
        when summed.basis_code in ('stale', 'fallback') then deliver.sentence || ' of this period'
        when summed.basis_code = 'estimated'
            then deliver.sentence || ', let a driver read it, and mark the driver measured'
        when summed.stop_code = 'services'
            then
                deliver.sentence || ' for work, asset_relations for machines or cloud_bill for cloud,'
                || ' and let the rule split by a driver'
        else deliver.sentence || ', and let the rule split by a driver'
    end as what_to_do,
    case
        when summed.basis_code = 'unmapped' then 'The money gets a place; nobody bears it now'
        when summed.basis_code = 'unallocated' then 'Those who use it bear it; nobody does now'
        when summed.basis_code = 'quarantined' then 'The records count; they are left out now'
        when summed.driver_kind = 'table' and summed.basis_code = 'stale'
            then 'Quantities that somebody answers for decide, instead of older ones'
        when summed.basis_code = 'stale'
            then 'Quantities of this period decide, instead of those of an earlier one'
        when summed.basis_code = 'fallback'
            then 'Quantities decide between ' || summed.receiver_count || ' receivers, instead of an even split'
        when summed.basis_code = 'even'
            then 'Quantities decide between ' || summed.receiver_count || ' receivers, instead of an even split'
        when summed.basis_code = 'estimated'
            then 'Use decides between ' || summed.receiver_count || ' receivers, instead of ' || summed.driver_name
        else 'Quantities decide between ' || summed.receiver_count || ' receivers, instead of declared shares'
    end as what_changes
from summed
left join deliver on summed.driver_kind = deliver.driver_kind
left join open_items
    on summed.stop_code = open_items.stop_code
    and summed.scenario_id = open_items.scenario_id
    and summed.period_id = open_items.period_id
    and summed.version = open_items.version
    and summed.basis_code = open_items.basis_code
    and summed.subject_kind = open_items.subject_kind
    and summed.subject_id = open_items.subject_id
