select * from {{ source('model', 'service_policies') }}
