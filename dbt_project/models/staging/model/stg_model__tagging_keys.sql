select * from {{ source('model', 'tagging_keys') }}
