select
    service_id,
    offering_id,
    offering_name,
    description
from {{ ref('stg_model__service_offerings') }}
