select * from {{ source('model', 'split_parts') }}
