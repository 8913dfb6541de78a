-- Purchase cost of the assets in use, carried asset -> application -> service or asset -> service
-- by the weights of the links. A quantity, not money: it only says in which proportion to split. Counted
-- in trillionths, so that the parts of an asset sum to its purchase cost to the last of twelve decimals.
with assets as (
    select
        case when assets.scenario_id = 'restated' then 'restated' else 'actual' end as scenario_id,
        assets.counts_from,
        assets.counts_until,
        assets.asset_id,
        assets.asset_class,
        {{ decimal_to_integer('assets.purchase_amount_local', 12) }} as purchase_parts,
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
        {{ decimal_to_integer('share_weight', 12) }} as weight
    from {{ ref('stg_asset_relations__links') }}
    where share_weight > 0
),

ranged as (
    select
        *,
        {{ weight_ranges(
            'weight', 'scenario_id, counts_from, counts_until, from_kind, from_id', 'to_kind, to_id, weight'
        ) }}
    from links
),

linked as (
    select
        assets.*,
        ranged.to_kind,
        ranged.to_id,
        {{ allocate_by_driver(
            'assets.purchase_parts', 'ranged.weight_from', 'ranged.weight_to', 'ranged.weight_total'
        ) }} as linked_parts
    from assets
    inner join ranged
        on assets.scenario_id = ranged.scenario_id
        and assets.counts_from is not distinct from ranged.counts_from
        and assets.counts_until is not distinct from ranged.counts_until
        and ranged.from_kind = 'asset'
        and assets.asset_id = ranged.from_id
),

served as (
    select
        * exclude (to_kind, to_id),
        to_id as service_id,
        linked_parts as service_parts
    from linked
    where to_kind = 'service'
    union all by name
    select
        linked.* exclude (to_kind, to_id),
        ranged.to_id as service_id,
        {{ allocate_by_driver(
            'linked.linked_parts', 'ranged.weight_from', 'ranged.weight_to', 'ranged.weight_total'
        ) }} as service_parts
    from linked
    inner join ranged
        on linked.scenario_id = ranged.scenario_id
        and linked.counts_from is not distinct from ranged.counts_from
        and linked.counts_until is not distinct from ranged.counts_until
        and linked.to_id = ranged.from_id
        and ranged.from_kind = 'application'
        and ranged.to_kind = 'service'
    where linked.to_kind = 'application'
)

select
    served.scenario_id,
    periods.period_id,
    drivers.driver_id,
    cast(null as varchar) as sender_id,
    'service' as receiver_kind,
    served.service_id as receiver_id,
    {{ integer_to_decimal('sum(served.service_parts)') }} as quantity,
    drivers.unit_code,
    drivers.quality
from served
inner join {{ ref('stg_model__periods') }} as periods
    on served.purchase_date < periods.period_end
    and (served.retired_date is null or served.retired_date > periods.period_start)
    and {{ counts_in_period('served', 'periods') }}
inner join {{ ref('stg_model__drivers') }} as drivers
    on drivers.driver_kind = 'asset_capacity'
    and (drivers.asset_classes is null or list_contains(drivers.asset_classes, served.asset_class))
group by all
