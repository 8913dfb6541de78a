-- Empty when dbt is done: what the checks found is known last, see pipelines/warehouse/check_marts.py.
select
    cast(null as varchar) as run_id,
    cast(null as varchar) as source_id,
    cast(null as varchar) as check_id,
    cast(null as varchar) as file_id,
    cast(null as bigint) as row_number,
    cast(null as varchar) as file_name,
    cast(null as varchar) as record_text
where false
