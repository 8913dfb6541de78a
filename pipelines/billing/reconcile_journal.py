"""Compare the journal that was exported for a period with what came back in the ledger.

The chargeback is booked on recovery accounts, which are no cost (`exclude_as: recovery`), and comes
back with the ledger of the next month. A posting is of the journal if its document or its text
carries the journal's reference, or its text is that of an entry. What carries nothing is compared
by entity, account and amount, in the month after the period.

Limits: where a ledger drops both reference and text, two journals of one amount cannot be told
apart. Amounts in another currency than the journal's are compared as converted, so that a rate
of theirs shows as another amount.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from pipelines.billing.journal import Journal, load_journal
from pipelines.errors import ControlError, UsageError

if TYPE_CHECKING:
    import duckdb

    from pipelines.books.books import Books
    from pipelines.workspace.workspace import Workspace

ZERO = Decimal("0.00")
SHOWN = 3

State = Literal["posted", "not_posted", "posted_twice", "other_amount", "replaced", "by_hand"]
Account = tuple[str, str]
"""Legal entity and account."""


@dataclass(frozen=True)
class Posting:
    """A line of the ledger on a recovery account; a credit is negative."""

    period_id: str
    line_id: str
    legal_entity_id: str
    account_id: str
    document_id: str | None
    text: str | None
    amount: Decimal

    def carries(self, reference: str) -> bool:
        """Whether the document or the text names a journal."""
        return reference in (self.document_id or "") or reference in (self.text or "")


@dataclass(frozen=True)
class Finding:
    """What was exported to one account of one entity, and what the ledger has of it."""

    legal_entity_id: str
    account_id: str
    state: State
    exported: Decimal
    posted: Decimal
    explanation: str

    @property
    def difference(self) -> Decimal:
        return self.posted - self.exported


@dataclass(frozen=True)
class Reconciliation:
    """The findings of a period, by entity and account."""

    journal: Journal
    is_exported: bool
    next_period_id: str | None
    """The month whose ledger must have it; None while nothing of it was delivered."""
    findings: tuple[Finding, ...]

    @property
    def ties(self) -> bool:
        return all(finding.state == "posted" for finding in self.findings)


def reconcile_journal(workspace: Workspace, books: Books, period_id: str) -> Reconciliation:
    """Compare the journal of a closed period with the published ledger.

    Raises UsageError where apportion.yml has no `journal`, ControlError where the period is not
    closed.
    """
    from pipelines.close.period_states import read_state
    from pipelines.warehouse.reader import open_published

    settings = workspace.config.journal
    if settings is None:
        raise UsageError(
            "apportion.yml says nothing about the journal: give the accounts under 'journal', see "
            "docs/reference/workspace.md"
        )
    with books.read() as connection:
        state = read_state(connection, period_id)
    if state.state != "closed":
        raise ControlError(f"{period_id} is {state.state}: only a closed period was posted")
    exported = _read_exported(books)
    with open_published(workspace) as marts:
        journal = load_journal(marts, settings, period_id)
        next_period = _find_next_period(marts, period_id)
        postings = _read_postings(marts, journal)
    own = {settings.credit_account, settings.mark_up_account} - {None}
    accounts = {*own, *(posting.account_id for posting in postings)}
    is_exported = journal.reference in exported
    due = _sum_entries(journal, accounts) if is_exported else {}
    findings = compare(journal, due, postings, exported, next_period)
    return Reconciliation(journal, is_exported, next_period, tuple(findings))


def compare(
    journal: Journal,
    due: Mapping[Account, Decimal],
    postings: Sequence[Posting],
    exported: Mapping[str, str],
    next_period: str | None,
) -> list[Finding]:
    """One finding per account that something was exported to, and one more for what is on it
    without an export.

    `due`: what was exported by account; `exported`: reference of every journal -> its period.
    """
    mine, replaced, unmarked = _sort_postings(journal, postings, exported, next_period)
    findings = []
    for account in sorted({*due, *mine, *replaced, *unmarked}):
        found, left = mine[account], unmarked[account]
        if due.get(account):
            if not found:
                found, left = _find_by_amount(left, due[account])
            findings.append(_judge(account, due[account], found, next_period))
        elif found:
            findings.append(_judge(account, ZERO, found, next_period))
        if replaced[account]:
            findings.append(_name_replaced(account, replaced[account]))
        if left:
            findings.append(_name_unexported(account, left))
    return findings


def _sort_postings(
    journal: Journal,
    postings: Iterable[Posting],
    exported: Mapping[str, str],
    next_period: str | None,
) -> tuple[
    dict[Account, list[Posting]], dict[Account, list[Posting]], dict[Account, list[Posting]]
]:
    """Postings of this journal, of an earlier version of it, and those of the next month that name
    no journal at all. What names the journal of another period is that period's."""
    texts = {entry.text for entry in journal.entries}
    others = {name: period for name, period in exported.items() if name != journal.reference}
    mine, replaced, unmarked = (defaultdict[Account, list[Posting]](list) for _ in range(3))
    for posting in postings:
        account = (posting.legal_entity_id, posting.account_id)
        named = next((period for name, period in others.items() if posting.carries(name)), None)
        if posting.carries(journal.reference):
            mine[account].append(posting)
        elif named is not None:
            if named == journal.period_id:
                replaced[account].append(posting)
        elif posting.text in texts:
            mine[account].append(posting)
        elif posting.period_id == next_period:
            unmarked[account].append(posting)
    return mine, replaced, unmarked


def _find_by_amount(
    postings: list[Posting], amount: Decimal
) -> tuple[list[Posting], list[Posting]]:
    """Unmarked postings that come to the amount (all of them, else the documents that do), and the
    others."""
    if _sum(postings) == amount:
        return postings, []
    documents = defaultdict[str, list[Posting]](list)
    for posting in postings:
        documents[posting.document_id or posting.line_id].append(posting)
    same = {name for name, found in documents.items() if _sum(found) == amount}
    found = [posting for name in documents if name in same for posting in documents[name]]
    left = [posting for name in documents if name not in same for posting in documents[name]]
    return found, left


def _judge(
    account: Account, exported: Decimal, found: list[Posting], next_period: str | None
) -> Finding:
    posted = _sum(found)
    state: State
    if not found:
        state = "not_posted"
        why = (
            "the ledger of the next month has not been delivered"
            if next_period is None
            else f"no posting names it, and none of {next_period} has its amount"
        )
    elif posted == exported:
        state, why = "posted", f"found in {_name(found)}"
    elif exported and posted % exported == 0 and posted / exported >= 2:
        times = int(posted / exported)
        state, why = "posted_twice", f"posted {times} times: {_name(found)}"
    else:
        state, why = "other_amount", f"another amount in {_name(found)}"
    return Finding(*account, state, exported, posted, why)


def _name_replaced(account: Account, found: list[Posting]) -> Finding:
    why = f"of a version that was replaced, to be reversed: {_name(found)}"
    return Finding(*account, "replaced", ZERO, _sum(found), why)


def _name_unexported(account: Account, found: list[Posting]) -> Finding:
    why = f"posted by hand, of no exported journal: {_name(found)}"
    return Finding(*account, "by_hand", ZERO, _sum(found), why)


def _name(found: list[Posting]) -> str:
    """The months and the first documents of postings."""
    periods = ", ".join(sorted({posting.period_id for posting in found}))
    documents = sorted({posting.document_id or posting.line_id for posting in found})
    more = f" and {len(documents) - SHOWN} more" if len(documents) > SHOWN else ""
    return f"{periods}, {', '.join(documents[:SHOWN])}{more}"


def _sum(postings: Iterable[Posting]) -> Decimal:
    return sum((posting.amount for posting in postings), ZERO)


def _sum_entries(journal: Journal, accounts: set[str | None]) -> dict[Account, Decimal]:
    """What the journal posts to each of the accounts."""
    sums = defaultdict[Account, Decimal](lambda: ZERO)
    for entry in journal.entries:
        if entry.account_id in accounts:
            sums[entry.legal_entity_id, entry.account_id] += entry.amount
    return dict(sums)


def _read_exported(books: Books) -> dict[str, str]:
    from sqlalchemy import select

    from pipelines.books.tables import journal_exports as table

    with books.read() as connection:
        rows = connection.execute(select(table.c.reference, table.c.period_id)).all()
    return {row.reference: row.period_id for row in rows}


def _find_next_period(marts: duckdb.DuckDBPyConnection, period_id: str) -> str | None:
    row = marts.execute(
        "select min(period_id) from dim_periods where has_actuals and period_id > ?", [period_id]
    ).fetchone()
    assert row is not None
    return None if row[0] is None else str(row[0])


def _read_postings(marts: duckdb.DuckDBPyConnection, journal: Journal) -> list[Posting]:
    """Lines on recovery accounts from the period on. A posting in the journal's currency counts as
    it was posted, another as it was converted."""
    rows = marts.execute(
        """
        select period_id, ledger_line_id, legal_entity_id, account_id, document_id, description,
            cast(if(currency_code = $currency, amount_local, amount) as decimal(28, 2)) as amount
        from fct_ledger_lines
        where scenario_id = 'actual' and disposition = 'recovery' and period_id >= $period
        order by period_id, ledger_line_id
        """,
        {"currency": journal.currency_code, "period": journal.period_id},
    ).fetchall()
    return [Posting(*row) for row in rows]
