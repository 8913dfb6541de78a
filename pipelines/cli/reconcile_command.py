"""`apportion reconcile`: whether the journal of a period came back in the ledger."""

from __future__ import annotations

from pathlib import Path

import typer

from pipelines.cli.output import (
    JsonOption,
    WorkspaceOption,
    format_money,
    print_json,
    print_table,
)
from pipelines.cli.period_commands import PeriodArgument
from pipelines.errors import EXIT_DONE, EXIT_REFUSED

WORDS = {
    "posted": "posted",
    "not_posted": "not yet posted",
    "posted_twice": "posted more than once",
    "other_amount": "posted with another amount",
    "replaced": "posted in a version that was replaced",
    "by_hand": "posted by hand",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(reconcile)


def reconcile(
    period: PeriodArgument, workspace: WorkspaceOption = Path(), as_json: JsonOption = False
) -> int:
    """Compare the journal of a closed period with the recovery accounts of the ledger."""
    from pipelines.billing.reconcile_journal import reconcile_journal
    from pipelines.books.books import Books
    from pipelines.workspace.workspace import Workspace

    space = Workspace.open(workspace)
    books = Books.open(space)
    done = reconcile_journal(space, books, period)
    books.close()
    code = EXIT_DONE if done.ties else EXIT_REFUSED
    if as_json:
        print_json(
            {
                "reference": done.journal.reference,
                "is_exported": done.is_exported,
                "next_period_id": done.next_period_id,
                "findings": [
                    {**vars(finding), "difference": finding.difference} for finding in done.findings
                ],
            }
        )
        return code
    if not done.is_exported:
        print(f"The journal of {period} was not exported, so that nothing of it can be posted.")
    if done.ties and not done.findings:
        print(f"There is nothing of {period} on the recovery accounts.")
        return code
    print_table(
        f"{done.journal.reference}, {done.journal.currency_code}",
        ["entity", "account", "exported", "in the ledger", "difference", "state", "why"],
        [
            (
                finding.legal_entity_id,
                finding.account_id,
                format_money(finding.exported),
                format_money(finding.posted),
                format_money(finding.difference),
                WORDS[finding.state],
                finding.explanation,
            )
            for finding in done.findings
        ],
        numeric=[2, 3, 4],
    )
    return code
