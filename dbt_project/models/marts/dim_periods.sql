select
    periods.period_id,
    case
        when periods.period_id like '____-P__' then right(periods.period_id, 3) || ' ' || left(periods.period_id, 4)
        else strftime(cast(periods.period_id || '-01' as date), '%b %Y')
    end as period_name,
    periods.period_start,
    periods.period_end,
    periods.fiscal_year,
    periods.fiscal_period,
    coalesce(bool_or(versions.scenario_id = 'actual'), false) as has_actuals,
    coalesce(bool_or(versions.scenario_id = 'budget'), false) as has_budget,
    coalesce(max(versions.state) filter (where versions.scenario_id = 'actual'), 'open') as period_state
from {{ ref('stg_model__periods') }} as periods
left join {{ ref('stg_model__period_versions') }} as versions on periods.period_id = versions.period_id
group by all
