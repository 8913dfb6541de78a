select
    _scenario_id as scenario_id,
    outage_id,
    service_id,
    started_at,
    ended_at,
    is_planned,
    cause,
    _source_id as source_id,
    _file_id as file_id,
    _row_number as row_number
from {{ source('lake', 'outages') }}
