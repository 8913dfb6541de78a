-- Over- and under-recovery of a fiscal year, given back or charged at its end. None yet.
select * from {{ ref('int_bills__charges') }}
where false
