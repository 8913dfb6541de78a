select * from {{ source('model', 'taxonomies') }}
