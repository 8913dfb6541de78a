select * from {{ source('model', 'restatements') }}
