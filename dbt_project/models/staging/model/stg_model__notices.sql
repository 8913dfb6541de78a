select * from {{ source('model', 'notices') }}
