select * from {{ source('model', 'transfers') }}
