select
    price_id,
    service_id,
    unit_code,
    tier_mode,
    tier_number,
    from_quantity,
    unit_price_rate,
    base_fee_amount,
    owner_name,
    reason,
    valid_from,
    valid_to,
    approved_by,
    approved_on
from {{ source('model', 'rate_card') }}
