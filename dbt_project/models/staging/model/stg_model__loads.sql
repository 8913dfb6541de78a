select * from {{ source('model', 'loads') }}
