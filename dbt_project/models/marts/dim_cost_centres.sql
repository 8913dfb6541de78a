-- Effective-dated. A cost centre that only a feed knows holds for all time.
with delivered as (
    select
        cost_centre_id,
        cost_centre_name,
        business_unit_id,
        business_unit_name,
        division_name,
        legal_entity_id,
        legal_entity_name,
        manager_name,
        is_it,
        valid_from,
        valid_to
    from {{ ref('stg_cost_centres__assignments') }}
),

from_feeds as (
    select
        matches.tagged_consumer_id as cost_centre_id,
        coalesce(max(matches.tagged_consumer_name), matches.tagged_consumer_id) as cost_centre_name,
        coalesce(max(matches.tagged_business_unit_id), matches.tagged_consumer_id) as business_unit_id,
        coalesce(max(matches.tagged_business_unit_id), matches.tagged_consumer_id) as business_unit_name,
        cast(null as varchar) as division_name,
        max(feeds.legal_entity_id) as legal_entity_id,
        max(feeds.legal_entity_id) as legal_entity_name,
        cast(null as varchar) as manager_name,
        false as is_it,
        date '1900-01-01' as valid_from,
        cast(null as date) as valid_to
    from {{ ref('int_tagging__matches') }} as matches
    inner join {{ ref('stg_model__feeds') }} as feeds
        on matches.source_id = feeds.source_id and feeds.defines_consumers
    anti join delivered on matches.tagged_consumer_id = delivered.cost_centre_id
    where matches.tagged_consumer_id is not null
    group by matches.tagged_consumer_id
),

together as (
    select * from delivered
    union all
    select * from from_feeds
),

-- A reorganisation that is announced for a later period is not how things are.
latest as (
    select coalesce(max(periods.period_end), date '9999-12-31') as period_end
    from {{ ref('stg_model__period_versions') }} as versions
    inner join {{ ref('stg_model__periods') }} as periods on versions.period_id = periods.period_id
    where versions.scenario_id = 'actual'
)

select
    together.*,
    row_number() over (
        partition by together.cost_centre_id
        order by
            together.valid_from < latest.period_end desc,
            abs(date_diff('day', together.valid_from, latest.period_end)) asc
    ) = 1 as is_current
from together
cross join latest
