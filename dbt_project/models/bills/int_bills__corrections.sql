-- Credit and debit notes: what late and corrected data of a closed period change in its charges.
-- None yet.
select * from {{ ref('int_bills__charges') }}
where false
