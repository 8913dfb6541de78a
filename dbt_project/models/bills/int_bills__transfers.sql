-- Mark-up and tax on what one legal entity charges another. None yet.
select * from {{ ref('int_bills__charges') }}
where false
