select
    scenario_id,
    period_id,
    source_id,
    asset_id,
    asset_name,
    asset_class,
    legal_entity_id,
    cost_centre_id,
    in_service_date,
    useful_life_months,
    convention_code,
    currency_code,
    purchase_amount_local,
    residual_amount_local,
    depreciation_amount_local,
    accumulated_amount_local,
    cast(purchase_amount_local - accumulated_amount_local as decimal(38, 12)) as book_amount_local
from {{ ref('met_depreciation') }}
