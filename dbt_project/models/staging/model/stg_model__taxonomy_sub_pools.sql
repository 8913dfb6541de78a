select * from {{ source('model', 'taxonomy_sub_pools') }}
