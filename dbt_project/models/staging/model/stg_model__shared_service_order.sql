select * from {{ source('model', 'shared_service_order') }}
