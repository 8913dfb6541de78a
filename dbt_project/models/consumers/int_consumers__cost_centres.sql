-- The assignment of each cost centre in each period: that of the period's first day; for a cost centre
-- that starts later, its first.
with periods as (
    select * from {{ ref('stg_model__periods') }}
)

select
    periods.period_id,
    centres.cost_centre_id,
    centres.cost_centre_name,
    centres.business_unit_id,
    centres.business_unit_name,
    centres.division_name,
    centres.legal_entity_id
from {{ ref('dim_cost_centres') }} as centres
inner join periods
    on centres.valid_from < periods.period_end
    and (centres.valid_to is null or centres.valid_to > periods.period_start)
qualify row_number() over (
    partition by centres.cost_centre_id, periods.period_id
    order by centres.valid_from
) = 1
