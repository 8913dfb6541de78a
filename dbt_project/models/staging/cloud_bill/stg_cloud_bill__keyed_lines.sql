-- Every bill line with the key of the metered row that it is part of; the lineage of cloud cost.
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
        billing_currency
    )) as cloud_line_key
from {{ ref('stg_cloud_bill__lines') }}
