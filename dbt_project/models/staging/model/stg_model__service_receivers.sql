select * from {{ source('model', 'service_receivers') }}
