select * from {{ source('model', 'tagging_scope') }}
