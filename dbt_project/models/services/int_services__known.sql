-- The catalogue, and with it the services that a feed defines where the workspace says so.
select
    service_id,
    service_name,
    true as is_catalogued
from {{ ref('stg_model__services') }}
union
select distinct
    matches.tagged_service_id as service_id,
    matches.tagged_service_id as service_name,
    false as is_catalogued
from {{ ref('int_tagging__matches') }} as matches
inner join {{ ref('stg_model__feeds') }} as feeds
    on matches.source_id = feeds.source_id and feeds.defines_services
anti join {{ ref('stg_model__services') }} as services on matches.tagged_service_id = services.service_id
where matches.tagged_service_id is not null
