-- A join to the chart of accounts that finds an account twice shows its postings twice.
{{ compare_amounts(ref('int_ledger__lines'), ref('fct_ledger_lines'), ['source_id', 'account_id']) }}
