-- Empty when dbt is done: what the checks found is known last, see pipelines/warehouse/check_marts.py.
select
    cast(null as varchar) as run_id,
    cast(null as varchar) as source_id,
    cast(null as varchar) as scenario_id,
    cast(null as varchar) as period_id,
    cast(null as varchar) as currency_code,
    cast(null as bigint) as record_count,
    cast(null as bigint) as previous_record_count,
    cast(null as decimal(38, 12)) as amount_local,
    cast(null as decimal(38, 12)) as previous_amount_local,
    cast(null as date) as last_date
where false
