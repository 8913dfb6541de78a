-- Empty when dbt is done: what the checks found is known last, see pipelines/warehouse/check_marts.py.
select
    cast(null as varchar) as run_id,
    cast(null as varchar) as source_id,
    cast(null as varchar) as scenario_id,
    cast(null as varchar) as check_id,
    cast(null as bigint) as check_order,
    cast(null as varchar) as source_name,
    cast(null as varchar) as check_kind,
    cast(null as varchar) as severity_code,
    cast(null as varchar) as sentence,
    cast(null as varchar) as what_to_do,
    cast(null as boolean) as is_passed,
    cast(null as bigint) as checked_record_count,
    cast(null as bigint) as broken_record_count
where false
