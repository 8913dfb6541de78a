-- Every bill line with its service and consumer, the rules that gave them, and the key of the metered
-- row that it is part of; the lineage of cloud cost. Without rules the key is that of the attributes
-- alone, so that a workspace without tagging.yml keeps the ids of its lines.
with mapped as (
    select
        lines.*,
        matches.tagged_service_id,
        matches.tagged_consumer_id,
        matches.service_rule_id,
        matches.consumer_rule_id
    from {{ ref('stg_cloud_bill__lines') }} as lines
    inner join {{ ref('int_tagging__matches') }} as matches
        on lines.seen_attributes = matches.seen_attributes
)

select
    *,
    md5(concat_ws(
        chr(31),
        scenario_id,
        period_id,
        source_id,
        coalesce(provider_name, chr(30)),
        coalesce(service_category, chr(30)),
        coalesce(service_name, chr(30)),
        coalesce(sub_account_id, chr(30)),
        coalesce(charge_category, chr(30)),
        coalesce(tagged_service_id, chr(30)),
        coalesce(tagged_consumer_id, chr(30)),
        billing_currency,
        'service by ' || service_rule_id,
        'consumer by ' || consumer_rule_id
    )) as cloud_line_key
from mapped
