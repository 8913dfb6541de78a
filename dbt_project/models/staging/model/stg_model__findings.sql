select * from {{ source('model', 'findings') }}
