select * from {{ source('model', 'minor_units') }}
