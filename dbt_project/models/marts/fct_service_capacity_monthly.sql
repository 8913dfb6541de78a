-- Capacity of a service against its use, where both are in one unit: its practical capacity, or that
-- of the assets behind it.
with links as (
    select distinct
        first_links.counts_from,
        first_links.counts_until,
        first_links.from_id as asset_id,
        coalesce(second_links.to_id, first_links.to_id) as service_id
    from {{ ref('stg_asset_relations__links') }} as first_links
    left join {{ ref('stg_asset_relations__links') }} as second_links
        on first_links.to_kind = 'application'
        and first_links.scenario_id = second_links.scenario_id
        and first_links.counts_from is not distinct from second_links.counts_from
        and first_links.counts_until is not distinct from second_links.counts_until
        and first_links.to_id = second_links.from_id
        and second_links.from_kind = 'application'
        and second_links.to_kind = 'service'
    where
        first_links.scenario_id <> 'restated'
        and first_links.from_kind = 'asset'
        and coalesce(second_links.to_kind, first_links.to_kind) = 'service'
),

practical as (
    select
        period_id,
        pool_id as service_id,
        unit_code as capacity_unit_code,
        sum(practical_quantity) as capacity_quantity
    from {{ ref('stg_practical_capacity__capacities') }}
    where scenario_id = 'actual' and pool_kind = 'service'
    group by all
),

of_assets as (
    select
        periods.period_id,
        links.service_id,
        assets.capacity_unit_code,
        sum(assets.capacity_quantity) as capacity_quantity
    from {{ ref('stg_assets__assets') }} as assets
    inner join links
        on assets.counts_from is not distinct from links.counts_from
        and assets.counts_until is not distinct from links.counts_until
        and assets.asset_id = links.asset_id
    inner join {{ ref('stg_model__periods') }} as periods
        on assets.purchase_date < periods.period_end
        and (assets.retired_date is null or assets.retired_date > periods.period_start)
        and {{ counts_in_period('assets', 'periods') }}
    where assets.scenario_id <> 'restated' and assets.capacity_quantity is not null
    group by all
),

capacities as (
    select * from practical
    union all by name
    select of_assets.*
    from of_assets
    anti join practical
        on of_assets.period_id = practical.period_id
        and of_assets.service_id = practical.service_id
        and of_assets.capacity_unit_code = practical.capacity_unit_code
),

used as (
    select
        scenario_id,
        period_id,
        service_id,
        unit_code,
        sum(quantity) as used_quantity
    from {{ ref('met_service_usage') }}
    where scenario_id = 'actual'
    group by all
)

select
    used.scenario_id,
    used.period_id,
    versions.version,
    used.service_id,
    capacities.capacity_quantity,
    capacities.capacity_unit_code,
    used.used_quantity,
    cast(cast(used.used_quantity as double) / capacities.capacity_quantity as decimal(18, 6)) as utilisation_share
from used
inner join capacities
    on used.period_id = capacities.period_id
    and used.service_id = capacities.service_id
    and used.unit_code = capacities.capacity_unit_code
    and capacities.capacity_quantity > 0
inner join {{ ref('stg_model__period_versions') }} as versions
    on used.scenario_id = versions.scenario_id and used.period_id = versions.period_id
