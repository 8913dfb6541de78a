"""One month of the sample company, from the ledger to the files that leave, to the cent."""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipelines.billing.focus.bill_tables import Issue, load_bill_tables
from pipelines.billing.focus.export_focus import write_checked
from pipelines.billing.journal import load_journal
from pipelines.billing.statement import load_statement
from pipelines.warehouse.reader import open_published
from pipelines.workspace.workspace import Workspace

MONTH = "2026-10"
ISSUE = Issue("2026-11-02T08:00:00Z", "2026-11-05T08:00:00Z", None)
CERTIFICATE = """
select
    sum(amount_cents) filter (identity_id = 'billed' and side = 'left') as billed,
    sum(amount_cents) filter (identity_id = 'ledger' and term_id = 'charged_cost') as cost,
    -- What is charged above or below cost, and what is billed besides charges.
    sum(amount_cents) filter (identity_id = 'charged' and term_id = 'recovery')
    + sum(amount_cents) filter (
        identity_id = 'billed' and side = 'right' and term_id <> 'charged') as more,
    sum(amount_cents) filter (identity_id = 'billed' and term_id = 'transfers') as transfers
from rpt_certificate where scenario_id = 'actual' and period_id = ?
"""


def test_ledger_statements_journal_and_focus_tie(sample: Path, tmp_path: Path) -> None:
    workspace = Workspace.open(sample)
    settings = workspace.config.journal
    assert settings is not None
    with open_published(workspace) as marts:
        row = marts.execute(CERTIFICATE, [MONTH]).fetchone()
        units = marts.execute(
            "select distinct business_unit_id from fct_bill_items_monthly "
            "where scenario_id = 'actual' and period_id = ? order by all",
            [MONTH],
        ).fetchall()
        statements = [load_statement(marts, MONTH, unit) for (unit,) in units]
        journal = load_journal(marts, settings, MONTH)
        bills = load_bill_tables(marts, workspace.config.focus, MONTH, "1.4", ISSUE)
    assert row is not None
    billed, cost, more, transfers = row
    assert cost + more == billed == journal.total == bills.total > 1_000_000
    assert bills.invoices == {item.number: item.total for item in statements}
    credited = sum((e.credit - e.debit for e in journal.entries if e.account_id == "9900"), 0)
    assert credited == billed - transfers
    target = tmp_path / "focus"
    write_checked(bills, "1.4", target)
    with duckdb.connect() as connection:
        for kind in ("csv", "parquet"):
            for dataset in ("cost_and_usage", "invoice_detail"):
                file = target / f"{dataset}.{kind}"
                total = connection.execute(
                    f"select sum(cast(BilledCost as decimal(28, 2))) from '{file}'"
                ).fetchone()
                assert total == (billed,)
