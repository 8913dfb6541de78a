select * from {{ source('model', 'tower_rules') }}
