select
    _scenario_id as scenario_id,
    period_id,
    pool_kind,
    pool_id,
    practical_quantity,
    unit_code,
    _source_id as source_id,
    _file_id as file_id,
    _row_number as row_number
from {{ source('lake', 'practical_capacity') }}
