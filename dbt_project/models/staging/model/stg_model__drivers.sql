select * from {{ source('model', 'drivers') }}
