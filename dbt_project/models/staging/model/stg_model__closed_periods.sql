select * from {{ source('model', 'closed_periods') }}
