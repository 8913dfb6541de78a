select
    _scenario_id as scenario_id,
    account_id,
    account_name,
    account_class,
    _source_id as source_id,
    _file_id as file_id,
    _row_number as row_number
from {{ source('lake', 'chart_of_accounts') }}
