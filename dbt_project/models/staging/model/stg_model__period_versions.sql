select * from {{ source('model', 'period_versions') }}
