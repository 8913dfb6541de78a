-- Agreements are by ticket type and priority, the catalogue has one figure per service: where the agreements of a
-- service differ, there is no one figure.
with now as (
    select coalesce(
        (select max(period_start) from {{ ref('stg_model__periods') }} semi join (
            select period_id from {{ ref('stg_model__period_versions') }}
            where scenario_id = 'actual'
        ) using (period_id)),
        (select min(period_start) from {{ ref('stg_model__periods') }})
    ) as period_start
)

select
    agreements.service_id,
    {%- for column in [
        'response_target_minutes', 'resolution_target_minutes', 'attainment_target_share', 'availability_target_share'
    ] %}
    case when min({{ column }}) = max({{ column }}) then min({{ column }}) end as {{ column }}
    {%- if not loop.last %},{% endif %}
    {%- endfor %}
from {{ ref('stg_sla_targets__targets') }} as agreements
cross join now
where agreements.valid_from <= now.period_start and coalesce(agreements.valid_to, date '9999-12-31') > now.period_start
group by agreements.service_id
