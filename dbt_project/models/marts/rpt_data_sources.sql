-- Empty when dbt is done: what the checks found is known last, see pipelines/warehouse/check_marts.py.
select
    cast(null as varchar) as run_id,
    cast(null as varchar) as source_id,
    cast(null as varchar) as scenario_id,
    cast(null as bigint) as source_order,
    cast(null as varchar) as latest_period_id,
    cast(null as date) as landed_date,
    cast(null as varchar) as source_name,
    cast(null as varchar) as contract_id,
    cast(null as bigint) as file_count,
    cast(null as bigint) as record_count,
    cast(null as bigint) as periods_behind,
    cast(null as decimal(9, 6)) as optional_filled_share,
    cast(null as decimal(9, 6)) as known_code_share,
    cast(null as bigint) as check_count,
    cast(null as bigint) as error_count,
    cast(null as bigint) as warning_count
where false
