-- Purchase cost of the assets in use, carried asset -> application -> service or asset -> service
-- by the weights of the links. A quantity, not money: it only says in which proportion to split.
with assets as (
    select
        case when assets.scenario_id = 'restated' then 'restated' else 'actual' end as scenario_id,
        assets.counts_from,
        assets.counts_until,
        assets.asset_id,
        assets.asset_class,
        assets.purchase_amount_local,
        assets.purchase_date,
        assets.retired_date
    from {{ ref('stg_assets__assets') }} as assets
),

links as (
    select
        case when scenario_id = 'restated' then 'restated' else 'actual' end as scenario_id,
        counts_from,
        counts_until,
        from_kind,
        from_id,
        to_kind,
        to_id,
        share_weight,
        sum(share_weight) over (
            partition by
                case when scenario_id = 'restated' then 'restated' else 'actual' end,
                counts_from, counts_until, from_kind, from_id
        ) as total_weight
    from {{ ref('stg_asset_relations__links') }}
    where share_weight > 0
),

asset_to_service as (
    select
        links.scenario_id,
        links.counts_from,
        links.counts_until,
        links.from_id as asset_id,
        links.to_id as service_id,
        cast(links.share_weight as double) / links.total_weight as share
    from links
    where links.from_kind = 'asset' and links.to_kind = 'service'
    union all
    select
        first_links.scenario_id,
        first_links.counts_from,
        first_links.counts_until,
        first_links.from_id as asset_id,
        second_links.to_id as service_id,
        cast(first_links.share_weight as double) / first_links.total_weight
        * cast(second_links.share_weight as double) / second_links.total_weight as share
    from links as first_links
    inner join links as second_links
        on first_links.scenario_id = second_links.scenario_id
        and first_links.counts_from is not distinct from second_links.counts_from
        and first_links.counts_until is not distinct from second_links.counts_until
        and first_links.to_id = second_links.from_id
        and second_links.from_kind = 'application'
        and second_links.to_kind = 'service'
    where first_links.from_kind = 'asset' and first_links.to_kind = 'application'
)

select
    assets.scenario_id,
    periods.period_id,
    drivers.driver_id,
    cast(null as varchar) as sender_id,
    'service' as receiver_kind,
    asset_to_service.service_id as receiver_id,
    -- Rounded before the sum, so that the order of the rows cannot change it.
    sum(cast(cast(assets.purchase_amount_local as double) * asset_to_service.share as decimal(38, 6))) as quantity,
    drivers.unit_code,
    drivers.quality
from assets
inner join asset_to_service
    on assets.scenario_id = asset_to_service.scenario_id
    and assets.counts_from is not distinct from asset_to_service.counts_from
    and assets.counts_until is not distinct from asset_to_service.counts_until
    and assets.asset_id = asset_to_service.asset_id
inner join {{ ref('stg_model__periods') }} as periods
    on assets.purchase_date < periods.period_end
    and (assets.retired_date is null or assets.retired_date > periods.period_start)
    and {{ counts_in_period('assets', 'periods') }}
inner join {{ ref('stg_model__drivers') }} as drivers
    on drivers.driver_kind = 'asset_capacity'
    and (drivers.asset_classes is null or list_contains(drivers.asset_classes, assets.asset_class))
group by all
