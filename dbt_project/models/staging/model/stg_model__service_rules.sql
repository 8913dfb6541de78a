select * from {{ source('model', 'service_rules') }}
