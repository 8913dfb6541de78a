select * from {{ source('model', 'posted_notes') }}
