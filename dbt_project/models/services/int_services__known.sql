-- The catalogue, and with it the services that a feed defines where the workspace says so.
select
    service_id,
    service_name,
    true as is_catalogued
from {{ ref('stg_model__services') }}
union
select distinct
    lines.tagged_service_id as service_id,
    lines.tagged_service_id as service_name,
    false as is_catalogued
from {{ ref('stg_cloud_bill__lines') }} as lines
inner join {{ ref('stg_model__feeds') }} as feeds
    on lines.source_id = feeds.source_id and feeds.defines_services
anti join {{ ref('stg_model__services') }} as services on lines.tagged_service_id = services.service_id
where lines.tagged_service_id is not null
