select * from {{ source('model', 'taxonomy_mappings') }}
