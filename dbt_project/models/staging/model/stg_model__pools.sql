select * from {{ source('model', 'pools') }}
