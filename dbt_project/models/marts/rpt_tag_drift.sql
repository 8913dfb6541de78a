-- Spellings of tags that look like one. Only what a person confirms in tagging.yml is merged.
--   key       two keys that differ in nothing but case, spaces and punctuation
--   spelling  two values of one key that do
--   near      two values of one key that are a letter or two apart, with the same digits: host1 and
--             host2 are two hosts, not one host misspelled
with converted as (
    select
        found.scenario_id,
        found.period_id,
        versions.version,
        found.tag_key,
        found.tag_value,
        sum({{ converted_units('found.amount_local', 'rates.exchange_rate') }}) as amount_units,
        sum(found.line_count) as line_count
    from {{ ref('int_tagging__values') }} as found
    inner join {{ ref('int_ledger__rates') }} as rates
        on found.scenario_id = rates.scenario_id
        and found.period_id = rates.period_id
        and found.currency_code = rates.currency_code
    inner join {{ ref('stg_model__period_versions') }} as versions
        on found.scenario_id = versions.scenario_id and found.period_id = versions.period_id
    group by all
),

-- What a person wrote down. Services and consumers that a feed defines are the tags themselves.
known as (
    select service_id as known_id from {{ ref('stg_model__services') }}
    union
    select cost_centre_id from {{ ref('stg_cost_centres__assignments') }}
),

targets as (
    select distinct
        tag_key,
        merged_value
    from {{ ref('stg_model__tagging_merges') }}
),

looked_at as (
    select distinct tag_key from {{ ref('stg_model__tagging_keys') }}
),

spellings as (
    select
        converted.* exclude (tag_key, tag_value),
        'value' as about,
        converted.tag_key,
        converted.tag_value as spelling,
        known.known_id is not null or targets.merged_value is not null as is_settled
    from converted
    left join known on converted.tag_value = known.known_id
    left join targets on converted.tag_key = targets.tag_key and converted.tag_value = targets.merged_value
    where converted.tag_value is not null
    union all
    select
        converted.scenario_id,
        converted.period_id,
        converted.version,
        sum(converted.amount_units) as amount_units,
        sum(converted.line_count) as line_count,
        'key' as about,
        '' as tag_key,
        converted.tag_key as spelling,
        max(looked_at.tag_key) is not null as is_settled
    from converted
    left join looked_at on converted.tag_key = looked_at.tag_key
    group by converted.scenario_id, converted.period_id, converted.version, converted.tag_key
),

normalised as (
    select
        *,
        regexp_replace(lower(strip_accents(spelling)), '[^\pL\pN]', '', 'g') as normal_form
    from spellings
),

ranked as (
    select
        *,
        row_number() over (
            partition by scenario_id, period_id, version, about, tag_key, normal_form
            order by is_settled desc, abs(amount_units) desc, spelling
        ) as place
    from normalised
    where normal_form <> ''
),

same as (
    select
        others.*,
        case when others.about = 'key' then 'key' else 'spelling' end as drift_kind,
        usual.spelling as proposed,
        0 as edit_distance
    from ranked as others
    inner join ranked as usual
        on others.scenario_id = usual.scenario_id
        and others.period_id = usual.period_id
        and others.version = usual.version
        and others.about = usual.about
        and others.tag_key = usual.tag_key
        and others.normal_form = usual.normal_form
        and usual.place = 1
    where others.place > 1 and not others.is_settled
),

-- One letter apart in a form of six letters or more, two from twelve on.
near as (
    select
        others.*,
        'near' as drift_kind,
        usual.spelling as proposed,
        levenshtein(others.normal_form, usual.normal_form) as edit_distance
    from ranked as others
    inner join ranked as usual
        on others.scenario_id = usual.scenario_id
        and others.period_id = usual.period_id
        and others.version = usual.version
        and others.about = 'value'
        and usual.about = 'value'
        and others.tag_key = usual.tag_key
        and others.place = 1
        and usual.place = 1
        and others.normal_form <> usual.normal_form
        and abs(len(others.normal_form) - len(usual.normal_form)) <= 2
    where
        not others.is_settled
        and (
            usual.is_settled
            or (abs(usual.amount_units), usual.spelling) > (abs(others.amount_units), others.spelling)
        )
        and least(len(others.normal_form), len(usual.normal_form)) >= 6
        and regexp_replace(others.normal_form, '\PN', '', 'g') = regexp_replace(usual.normal_form, '\PN', '', 'g')
        and levenshtein(others.normal_form, usual.normal_form)
        <= case when least(len(others.normal_form), len(usual.normal_form)) >= 12 then 2 else 1 end
    qualify row_number() over (
        partition by others.scenario_id, others.period_id, others.version, others.tag_key, others.spelling
        order by
            levenshtein(others.normal_form, usual.normal_form), usual.is_settled desc,
            abs(usual.amount_units) desc, usual.spelling
    ) = 1
),

together as (
    select * from same
    union all
    select * from near
)

select
    scenario_id,
    period_id,
    version,
    drift_kind,
    case when drift_kind = 'key' then proposed else tag_key end as tag_key,
    spelling as found_text,
    proposed as proposed_text,
    cast(edit_distance as integer) as edit_distance,
    {{ units_to_amount('amount_units') }} as amount,
    cast(line_count as bigint) as line_count
from together
