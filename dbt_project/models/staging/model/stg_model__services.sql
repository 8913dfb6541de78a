select * from {{ source('model', 'services') }}
