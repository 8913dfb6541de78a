select
    _scenario_id as scenario_id,
    cost_centre_id,
    cost_centre_name,
    business_unit_id,
    business_unit_name,
    division_name,
    legal_entity_id,
    legal_entity_name,
    manager_name,
    is_it,
    valid_from,
    valid_to,
    _source_id as source_id,
    _file_id as file_id,
    _row_number as row_number
from {{ source('lake', 'cost_centres') }}
