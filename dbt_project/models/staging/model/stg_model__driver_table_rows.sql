select * from {{ source('model', 'driver_table_rows') }}
