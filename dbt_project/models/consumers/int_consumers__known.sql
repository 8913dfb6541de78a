-- Cost centres that a master or, where the workspace says so, a feed knows in each period.
select distinct
    centres.cost_centre_id,
    periods.period_id
from {{ ref('stg_cost_centres__assignments') }} as centres
inner join {{ ref('stg_model__periods') }} as periods
    on centres.valid_from < periods.period_end
    and (centres.valid_to is null or centres.valid_to > periods.period_start)
union
select distinct
    matches.tagged_consumer_id as cost_centre_id,
    periods.period_id
from {{ ref('int_tagging__matches') }} as matches
inner join {{ ref('stg_model__feeds') }} as feeds
    on matches.source_id = feeds.source_id and feeds.defines_consumers
cross join {{ ref('stg_model__periods') }} as periods
where matches.tagged_consumer_id is not null
