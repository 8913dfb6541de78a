{% set all_quantities %}(
    select * from {{ ref('int_services__prior_allocation') }}
    union all by name
    select * from {{ ref('fct_driver_quantities') }}
){% endset %}
-- The weights of all service rules: of the first pass, and of the rules that follow its cost.
select * from {{ ref('int_services__first_weights') }}
union all by name
select *
from (
    {{ weigh_services(true, all_quantities) }}
)
