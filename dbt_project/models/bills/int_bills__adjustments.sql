-- Adjustments and service credits that finance decided. None yet.
select * from {{ ref('int_bills__charges') }}
where false
