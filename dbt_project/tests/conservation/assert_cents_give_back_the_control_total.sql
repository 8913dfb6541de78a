-- Cents that are rounded line by line drift away from the ledger by the number of lines.
with control as (
    select
        scenario_id,
        period_id,
        version,
        {{ divide_integers('sum(amount_units)', 1000000) }} as amount_cents
    from {{ ref('int_ledger__control_totals') }}
    group by scenario_id, period_id, version
)

{# The comparison is a query with CTEs of its own. #}
select compared.*
from ({{ compare_amounts(
    'control', ref('int_charges__lines'), [], arrived_units='amount_cents', left_units='cost_cents'
) }}) as compared
