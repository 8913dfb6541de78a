select
    run_id,
    built_at,
    fingerprint,
    code_version,
    workspace_name,
    currency_code,
    shared_method
from {{ ref('stg_model__settings') }}
