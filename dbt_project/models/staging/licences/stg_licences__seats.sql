select
    _scenario_id as scenario_id,
    period_id,
    product_id,
    product_name,
    service_id,
    cost_centre_id,
    seats_quantity,
    _source_id as source_id,
    _file_id as file_id,
    _row_number as row_number
from {{ source('lake', 'licences') }}
