select * from {{ source('model', 'phasing') }}
