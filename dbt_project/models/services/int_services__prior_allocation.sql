-- The cost that the first pass gives each service in a period, as a quantity to split by: what rules by
-- other drivers and what tags give it. Rules that split by it never see what they give themselves, so
-- there is no circle. A service whose credits outweigh its cost has no weight.
{% set qualities = ['measured', 'estimated', 'stale', 'fallback'] %}
with cells as (
    select
        cells.*,
        matches.rule_id,
        coalesce(matches.to_tagged_service, false) as to_tagged_service
    from {{ ref('int_towers__cells') }} as cells
    inner join {{ ref('int_services__rule_matches') }} as matches
        on cells.scenario_id = matches.scenario_id
        and cells.period_id = matches.period_id
        and cells.tower_id = matches.tower_id
        and cells.cost_pool_id = matches.cost_pool_id
        and (cells.tagged_service_id is not null) = matches.is_tagged
    where cells.disposition = 'allocated'
),

given as (
    select
        cells.scenario_id,
        cells.period_id,
        weights.receiver_id as service_id,
        list_position({{ qualities }}, weights.driver_quality) as quality_rank,
        {{ allocate_by_driver(
            'cells.amount_units', 'weights.weight_from', 'weights.weight_to', 'weights.weight_total'
        ) }} as amount_units
    from cells
    inner join {{ ref('int_services__first_weights') }} as weights
        on cells.scenario_id = weights.scenario_id
        and cells.period_id = weights.period_id
        and cells.version = weights.version
        and cells.rule_id = weights.rule_id
        and cells.tower_id = weights.sender_id
    where not cells.to_tagged_service and weights.receiver_disposition = 'allocated'
    union all
    select
        cells.scenario_id,
        cells.period_id,
        cells.tagged_service_id as service_id,
        1 as quality_rank,
        cells.amount_units
    from cells
    inner join {{ ref('int_services__known') }} as services on cells.tagged_service_id = services.service_id
    where cells.to_tagged_service
),

sums as (
    select
        scenario_id,
        period_id,
        service_id,
        max(quality_rank) as quality_rank,
        sum(amount_units) as amount_units
    from given
    group by all
)

select
    sums.scenario_id,
    sums.period_id,
    drivers.driver_id,
    cast(null as varchar) as sender_id,
    'service' as receiver_kind,
    sums.service_id as receiver_id,
    cast({{ units_to_amount('greatest(sums.amount_units, 0)') }} as decimal(38, 12)) as quantity,
    drivers.unit_code,
    -- As sure as the least sure split that it stands on.
    {{ qualities }}[greatest(sums.quality_rank, list_position({{ qualities }}, drivers.quality))] as quality
from sums
inner join {{ ref('stg_model__drivers') }} as drivers on drivers.driver_kind = 'prior_allocation'
