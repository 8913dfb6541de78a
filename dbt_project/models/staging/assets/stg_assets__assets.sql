select
    _scenario_id as scenario_id,
    asset_id,
    asset_name,
    asset_class,
    legal_entity_id,
    cost_centre_id,
    purchase_date,
    currency_code,
    purchase_amount_local,
    useful_life_months,
    capacity_quantity,
    capacity_unit_code,
    retired_date,
    _source_id as source_id,
    _file_id as file_id,
    _row_number as row_number
from {{ source('lake', 'assets') }}
