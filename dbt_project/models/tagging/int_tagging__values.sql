-- The tags of the bills with their money, keys and values as tagging.yml reads them. A key with more
-- than a thousand values in a period names things one by one (hosts, for example): it has one row,
-- without a value.
with texts as (
    select
        scenario_id,
        period_id,
        billing_currency as currency_code,
        tags,
        sum(amount_local) as amount_local,
        count(*) as line_count
    from {{ ref('stg_cloud_bill__lines') }}
    where tags is not null
    group by all
),

spelled as (
    select
        *,
        unnest(json_keys(tags)) as spelling
    from texts
),

found as (
    select
        spelled.* exclude (tags),
        coalesce(keys.tag_key, spelled.spelling) as tag_key,
        {{ tag_values('spelled.tags', '[[' ~ tag_pointer('spelled.spelling') ~ ']]') }}[1] as found_value
    from spelled
    left join {{ ref('stg_model__tagging_keys') }} as keys on spelled.spelling = keys.spelling
),

merged as (
    select
        found.*,
        coalesce(readings.merged_value, found.found_value) as tag_value
    from found
    left join {{ ref('stg_model__tagging_merges') }} as readings
        on found.tag_key = readings.tag_key and found.found_value = readings.found_value
    where found.found_value is not null
),

counted as (
    select
        *,
        max(dense_value) over (partition by scenario_id, period_id, tag_key) as value_count
    from (
        select
            *,
            dense_rank() over (partition by scenario_id, period_id, tag_key order by tag_value) as dense_value
        from merged
    ) as ranked
)

select
    scenario_id,
    period_id,
    currency_code,
    tag_key,
    case when value_count <= 1000 then tag_value end as tag_value,
    max(value_count) as value_count,
    sum(amount_local) as amount_local,
    sum(line_count) as line_count
from counted
group by all
