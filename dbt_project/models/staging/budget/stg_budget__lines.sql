select
    _scenario_id as scenario_id,
    line_id,
    period_id,
    legal_entity_id,
    account_id,
    cost_centre_id,
    vendor_name,
    description,
    currency_code,
    amount_local,
    _source_id as source_id,
    _file_id as file_id,
    _row_number as row_number
from {{ source('lake', 'budget') }}
