-- A service that charges more than its cost hides another that charges less; the certificate sees
-- only their sum. Showback and money outside of the services are shown and never charged.
with due as (
    select
        *,
        case when disposition = 'allocated' and charging_policy <> 'showback' then cost_amount else 0 end as due_amount
    from {{ ref('fct_charges_monthly') }}
)

{# The comparison is a query with CTEs of its own. #}
select compared.*
from ({{ compare_amounts(
    'due', 'due', ['service_id', 'cost_centre_id', 'disposition'],
    arrived_units='due_amount', left_units='charged_amount',
) }}) as compared
