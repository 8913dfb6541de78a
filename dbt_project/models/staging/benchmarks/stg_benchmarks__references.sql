select
    _scenario_id as scenario_id,
    benchmark_id,
    service_id,
    metric,
    unit_code,
    currency_code,
    low_value,
    median_value,
    high_value,
    source_name,
    publication_year,
    note,
    _source_id as source_id,
    _file_id as file_id,
    _row_number as row_number
from {{ source('lake', 'benchmarks') }}
