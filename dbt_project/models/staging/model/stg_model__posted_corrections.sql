select * from {{ source('model', 'posted_corrections') }}
