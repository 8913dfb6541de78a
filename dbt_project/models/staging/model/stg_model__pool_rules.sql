select * from {{ source('model', 'pool_rules') }}
