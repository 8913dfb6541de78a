select * from {{ source('model', 'service_offerings') }}
