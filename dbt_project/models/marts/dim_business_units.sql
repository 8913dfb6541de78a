select
    business_unit_id,
    max(business_unit_name) as business_unit_name,
    max(division_name) as division_name
from {{ ref('dim_cost_centres') }}
group by business_unit_id
