-- For every combination of attributes that occurs, the service and the consumer of its lines: each
-- by the first rule that matches and gives one, else by what the detail feed says. Rules meet
-- combinations, not lines: there are few of them however many lines there are.
with scope as (
    select * from {{ ref('stg_model__tagging_scope') }}
),

combinations as (
    select distinct lines.seen_attributes
    from {{ ref('stg_cloud_bill__lines') }} as lines
),

merged as (
    select
        combinations.seen_attributes,
        unnest(combinations.seen_attributes), -- noqa: AL03
        periods.period_start,
        list_transform(
            list_zip(combinations.seen_attributes.tag_values, scope.tag_merges),
            lambda tag: coalesce(
                list_filter(tag[2], lambda pair: struct_extract(pair, 'found') = tag[1])[1].merged, tag[1]
            )
        ) as merged_values
    from combinations
    inner join {{ ref('stg_model__periods') }} as periods
        on combinations.seen_attributes.period_id = periods.period_id
    cross join scope
),

feeds as (
    select
        feeds.source_id,
        services.position as service_position,
        consumers.position as consumer_position,
        names.position as name_position,
        units.position as unit_position
    from {{ ref('stg_model__feeds') }} as feeds
    left join {{ ref('stg_model__tagging_keys') }} as services
        on feeds.service_from = 'tag:' || services.spelling
    left join {{ ref('stg_model__tagging_keys') }} as consumers
        on feeds.consumer_from = 'tag:' || consumers.spelling
    left join {{ ref('stg_model__tagging_keys') }} as names
        on feeds.consumer_name_from = 'tag:' || names.spelling
    left join {{ ref('stg_model__tagging_keys') }} as units
        on feeds.business_unit_from = 'tag:' || units.spelling
),

named as (
    select
        merged.*,
        coalesce(merged.feed_service_id, merged.merged_values[feeds.service_position]) as named_service_id,
        coalesce(merged.feed_consumer_id, merged.merged_values[feeds.consumer_position]) as named_consumer_id,
        coalesce(merged.feed_consumer_name, merged.merged_values[feeds.name_position]) as named_consumer_name,
        coalesce(merged.feed_business_unit_id, merged.merged_values[feeds.unit_position]) as named_business_unit_id
    from merged
    left join feeds on merged.source_id = feeds.source_id
),

matched as (
    select
        named.seen_attributes,
        rules.rule_id,
        rules.priority,
        case
            when rules.overrides_feed or named.named_service_id is null
                then coalesce(rules.service_id, named.merged_values[rules.service_tag_position])
        end as service_id,
        case
            when rules.overrides_feed or named.named_consumer_id is null
                then coalesce(rules.consumer_id, named.merged_values[rules.consumer_tag_position])
        end as consumer_id
    from named
    inner join {{ ref('stg_model__tagging_rules') }} as rules
        on {{ match_globs('rules.source_globs', 'named.source_id') }}
        and {{ match_globs('rules.provider_globs', 'named.provider_name') }}
        and {{ match_globs('rules.billing_account_globs', 'named.billing_account_id') }}
        and {{ match_globs('rules.sub_account_globs', 'named.sub_account_id') }}
        and {{ match_globs('rules.resource_globs', 'named.resource_id') }}
        and {{ match_globs('rules.service_category_globs', 'named.service_category') }}
        and {{ match_globs('rules.service_name_globs', 'named.service_name') }}
        and {{ match_globs('rules.region_globs', 'named.region_id') }}
        and {{ match_globs('rules.charge_category_globs', 'named.charge_category') }}
        and {{ tag_matches('rules.tag_conditions', 'named.merged_values') }}
        and len(list_filter(
            rules.missing_positions, lambda position: named.merged_values[position] is not null
        )) = 0
        and {{ is_valid_in_period('rules', 'named') }}
),

services as (
    select
        seen_attributes,
        arg_min(rule_id, priority) as rule_id,
        arg_min(service_id, priority) as service_id
    from matched
    where service_id is not null
    group by seen_attributes
),

consumers as (
    select
        seen_attributes,
        arg_min(rule_id, priority) as rule_id,
        arg_min(consumer_id, priority) as consumer_id
    from matched
    where consumer_id is not null
    group by seen_attributes
)

select
    named.seen_attributes,
    named.source_id,
    named.period_id,
    coalesce(services.service_id, named.named_service_id) as tagged_service_id,
    services.rule_id as service_rule_id,
    coalesce(consumers.consumer_id, named.named_consumer_id) as tagged_consumer_id,
    consumers.rule_id as consumer_rule_id,
    -- The feed names its own consumer; one that a rule gives has no name there.
    case when consumers.rule_id is null then named.named_consumer_name end as tagged_consumer_name,
    case when consumers.rule_id is null then named.named_business_unit_id end as tagged_business_unit_id
from named
left join services on named.seen_attributes = services.seen_attributes
left join consumers on named.seen_attributes = consumers.seen_attributes
