select
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
    note
from {{ ref('stg_benchmarks__references') }}
