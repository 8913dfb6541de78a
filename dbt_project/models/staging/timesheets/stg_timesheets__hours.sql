select
    _scenario_id as scenario_id,
    entry_id,
    period_id,
    cost_centre_id,
    person_id,
    tower_id,
    service_id,
    hours_quantity,
    _source_id as source_id,
    _file_id as file_id,
    _row_number as row_number
from {{ source('lake', 'timesheets') }}
