-- A target of zero minutes is no target.
select
    service_id,
    ticket_type,
    priority,
    calendar_id,
    nullif(response_target_minutes, 0) as response_target_minutes,
    nullif(resolution_target_minutes, 0) as resolution_target_minutes,
    attainment_target_share,
    availability_target_share,
    valid_from,
    valid_to,
    _source_id as source_id,
    _file_id as file_id,
    _row_number as row_number
from {{ source('lake', 'sla_targets') }}
