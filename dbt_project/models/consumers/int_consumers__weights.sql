-- The receivers outside IT of every service, with the running totals to split by.
with use as (
    select * from {{ ref('int_delivered_services__use') }}
    where receiver_kind <> 'service'
),

known as (
    select
        use.*,
        case
            when use.receiver_kind in ('unallocated', 'idle') then use.receiver_kind
            when centres.cost_centre_id is null then 'unmapped'
            else 'allocated'
        end as receiver_disposition
    from use
    left join {{ ref('int_consumers__known') }} as centres
        on use.receiver_id = centres.cost_centre_id and use.period_id = centres.period_id
)

select
    *,
    {{ weight_ranges('weight', 'scenario_id, period_id, version, service_id', 'receiver_kind, receiver_id') }}
from known
