select * from {{ source('model', 'frozen_certificates') }}
