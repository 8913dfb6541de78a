select * from {{ source('model', 'towers') }}
