select
    run_id,
    fingerprint,
    built_at,
    code_version,
    workspace_name,
    currency_code,
    minor_unit_digits,
    control_source_id,
    rate_type,
    time_zone,
    shared_method,
    true_up,
    cast(power(10, minor_unit_digits + 6) as hugeint) as units_per_amount,
    -- Moves the point of an integer amount: 0.00000001 for a currency with two decimals.
    case minor_unit_digits
        when 0 then cast(0.000001 as decimal(9, 8))
        when 2 then cast(0.00000001 as decimal(9, 8))
    end as amount_per_unit,
    case minor_unit_digits
        when 0 then cast(1 as decimal(3, 2))
        when 2 then cast(0.01 as decimal(3, 2))
    end as amount_per_cent,
    -- A price times a quantity has 22 decimals: how many such parts are in a minor unit.
    cast(power(10, 22 - minor_unit_digits) as hugeint) as price_parts_per_cent
from {{ source('model', 'settings') }}
