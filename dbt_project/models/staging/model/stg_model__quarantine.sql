select * from {{ source('model', 'quarantine') }}
