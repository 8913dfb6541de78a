select
    _scenario_id as scenario_id,
    from_kind,
    from_id,
    to_kind,
    to_id,
    share_weight,
    _counts_from as counts_from,
    _counts_until as counts_until,
    _source_id as source_id,
    _file_id as file_id,
    _row_number as row_number
from {{ source('lake', 'asset_relations') }}
