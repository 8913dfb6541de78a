select * from {{ source('model', 'feeds') }}
