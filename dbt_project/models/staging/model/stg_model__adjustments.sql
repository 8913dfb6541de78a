select * from {{ source('model', 'adjustments') }}
