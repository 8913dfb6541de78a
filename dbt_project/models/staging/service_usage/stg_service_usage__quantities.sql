select
    _scenario_id as scenario_id,
    period_id,
    service_id,
    receiver_kind,
    receiver_id,
    quantity,
    coalesce(peak_quantity, 0) as peak_quantity,
    unit_code,
    _source_id as source_id,
    _file_id as file_id,
    _row_number as row_number
from {{ source('lake', 'service_usage') }}
