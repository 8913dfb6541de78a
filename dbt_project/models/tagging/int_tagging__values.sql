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
        found.scenario_id,
        found.period_id,
        found.currency_code,
        found.tag_key,
        coalesce(readings.merged_value, found.found_value) as tag_value,
        sum(found.amount_local) as amount_local,
        sum(found.line_count) as line_count
    from found
    left join {{ ref('stg_model__tagging_merges') }} as readings
        on found.tag_key = readings.tag_key and found.found_value = readings.found_value
    where found.found_value is not null
    group by all
),

counts as (
    select
        scenario_id,
        period_id,
        tag_key,
        count(distinct tag_value) as value_count
    from merged
    group by all
)

select
    merged.scenario_id,
    merged.period_id,
    merged.currency_code,
    merged.tag_key,
    case when counts.value_count <= 1000 then merged.tag_value end as tag_value,
    counts.value_count,
    sum(merged.amount_local) as amount_local,
    sum(merged.line_count) as line_count
from merged
inner join counts
    on merged.scenario_id = counts.scenario_id
    and merged.period_id = counts.period_id
    and merged.tag_key = counts.tag_key
group by all
