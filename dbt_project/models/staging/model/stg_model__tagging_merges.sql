select * from {{ source('model', 'tagging_merges') }}
