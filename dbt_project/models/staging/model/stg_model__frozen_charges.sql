select * from {{ source('model', 'frozen_charges') }}
