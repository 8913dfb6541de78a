select * from {{ source('model', 'periods') }}
