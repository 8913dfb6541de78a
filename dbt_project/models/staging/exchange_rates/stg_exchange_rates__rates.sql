select
    _scenario_id as scenario_id,
    rate_type,
    period_id,
    from_currency_code,
    to_currency_code,
    exchange_rate,
    source_name,
    _source_id as source_id,
    _file_id as file_id,
    _row_number as row_number
from {{ source('lake', 'exchange_rates') }}
