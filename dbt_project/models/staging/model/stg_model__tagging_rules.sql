select * from {{ source('model', 'tagging_rules') }}
