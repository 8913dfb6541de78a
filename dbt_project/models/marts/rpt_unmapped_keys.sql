-- What unmapped lines have in common: accounts, resources, services of the provider, tags. A line
-- counts under each of its keys, so that the kinds are never added up. A line that names something
-- unknown counts under that name alone: the name is to be settled, not the account.
with lines as (
    select
        lines.scenario_id,
        lines.period_id,
        lines.source_id,
        lines.billing_currency as currency_code,
        decisions.target_kind,
        case when decisions.mapping_method = 'unknown' then decisions.target_id end as unknown_id,
        lines.billing_account_id,
        lines.sub_account_id,
        lines.resource_id,
        lines.service_name,
        lines.tags,
        sum(lines.passed_on_amount_local) as amount_local,
        count(*) as line_count
    from {{ ref('stg_cloud_bill__keyed_lines') }} as lines
    inner join {{ ref('int_tagging__decisions') }} as decisions
        on lines.scenario_id = decisions.scenario_id
        and lines.period_id = decisions.period_id
        and lines.source_id = decisions.source_id
        and lines.cloud_line_key = decisions.cloud_line_key
        and not decisions.is_mapped
    group by all
),

tagged as (
    select
        lines.*,
        unnest(json_keys(lines.tags)) as spelling
    from lines
),

tags as (
    select
        tagged.*,
        coalesce(keys.tag_key, tagged.spelling) as tag_key,
        coalesce(readings.merged_value, tagged.found_value) as tag_value
    from (
        select
            *,
            {{ tag_values('tags', '[[' ~ tag_pointer('spelling') ~ ']]') }}[1] as found_value
        from tagged
    ) as tagged
    left join {{ ref('stg_model__tagging_keys') }} as keys on tagged.spelling = keys.spelling
    left join {{ ref('stg_model__tagging_merges') }} as readings
        on coalesce(keys.tag_key, tagged.spelling) = readings.tag_key and tagged.found_value = readings.found_value
),

{% set kinds = {
    'unknown_value': ['lines', 'unknown_id', "''"],
    'billing_account': ['lines', 'billing_account_id', "''"],
    'sub_account': ['lines', 'sub_account_id', "''"],
    'resource': ['lines', 'resource_id', "''"],
    'service_name': ['lines', 'service_name', "''"],
    'tag': ['tags', 'tag_value', 'tag_key'],
} %}
listed as (
    {% for kind, (relation, value, name) in kinds.items() %}
    select
        scenario_id,
        period_id,
        source_id,
        currency_code,
        target_kind,
        '{{ kind }}' as key_kind,
        {{ name }} as key_name,
        {{ value }} as key_value,
        sum(amount_local) as amount_local,
        sum(line_count) as line_count
    from {{ relation }}
    where {{ value }} is not null{{ ' and unknown_id is null' if kind != 'unknown_value' }}
    group by all
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

converted as (
    select
        listed.scenario_id,
        listed.period_id,
        versions.version,
        listed.source_id,
        listed.target_kind,
        listed.key_kind,
        listed.key_name,
        listed.key_value,
        sum({{ converted_units('listed.amount_local', 'rates.exchange_rate') }}) as amount_units,
        sum(listed.line_count) as line_count
    from listed
    inner join {{ ref('int_ledger__rates') }} as rates
        on listed.scenario_id = rates.scenario_id
        and listed.period_id = rates.period_id
        and listed.currency_code = rates.currency_code
    inner join {{ ref('stg_model__period_versions') }} as versions
        on listed.scenario_id = versions.scenario_id and listed.period_id = versions.period_id
    group by all
),

ranked as (
    select
        *,
        row_number() over (
            partition by scenario_id, period_id, version, source_id, target_kind, key_kind
            order by abs(amount_units) desc, line_count desc, key_name asc, key_value asc
        ) as key_rank
    from converted
)

select
    scenario_id,
    period_id,
    version,
    source_id,
    target_kind,
    key_kind,
    key_name,
    key_value,
    cast(key_rank as integer) as key_rank,
    {{ units_to_amount('amount_units') }} as amount,
    cast(line_count as bigint) as line_count
from ranked
where key_rank <= 50
