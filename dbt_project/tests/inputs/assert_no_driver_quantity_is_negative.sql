-- A negative quantity that no rule says how to count is left out when cost is split, so its receiver
-- would pay nothing and the others too much.
with splits as (
    select
        stop_code,
        rule_id,
        driver_id
    from {{ ref('stg_model__split_parts') }}
    where driver_id is not null and negative = 'refuse'
)

select
    splits.stop_code,
    splits.rule_id,
    quantities.scenario_id,
    quantities.period_id,
    quantities.driver_id,
    quantities.sender_id,
    quantities.receiver_kind,
    quantities.receiver_id,
    quantities.quantity,
    quantities.unit_code
from {{ ref('fct_driver_quantities') }} as quantities
inner join splits on quantities.driver_id = splits.driver_id
left join {{ ref('stg_model__drivers') }} as drivers on quantities.driver_id = drivers.driver_id
where
    quantities.quantity < 0
    -- A service splits by its own use; that of others is theirs to judge.
    and (
        splits.stop_code <> 'consumers'
        or drivers.sender_kind is null
        or quantities.sender_id = splits.rule_id
    )
