"""The journal of a period: what finance posts so that the ledger says what was charged.

Each charge debits the consumer's cost centre and credits the recovery of IT. Where the consumer is
another legal entity than IT, both post: the consumer owes it to IT (payable), IT is owed it
(receivable), so that the entries of every legal entity balance by themselves. A negative charge
changes sides. Amounts are the cents of the charge lines; nothing is rounded here.

The document's reference is a hash of its entries: the same journal has the same reference whenever
it is exported, so that a ledger, and this program, recognise it the second time.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.errors import ControlError, UsageError

if TYPE_CHECKING:
    import duckdb

    from pipelines.workspace.config import JournalSettings

REFERENCE_DIGITS = 10
ACTUAL = "actual"


@dataclass(frozen=True)
class Entry:
    """One line of the journal; one of `debit` and `credit` is more than 0, the other is 0."""

    legal_entity_id: str
    account_id: str
    cost_centre_id: str
    debit: Decimal
    credit: Decimal
    service_id: str
    text: str

    @property
    def amount(self) -> Decimal:
        """Debit as positive, credit as negative."""
        return self.debit - self.credit


@dataclass(frozen=True)
class Journal:
    """The balanced entries of a period."""

    period_id: str
    version: int
    posting_date: date
    currency_code: str
    reference: str
    entries: tuple[Entry, ...]
    total: Decimal
    """What is charged: the sum of the consumers' debits less their credits."""


def load_journal(
    marts: duckdb.DuckDBPyConnection, settings: JournalSettings, period_id: str
) -> Journal:
    """The journal of the published charges of a period.

    Raises UsageError where nothing of it is charged, ControlError where a consumer has no legal
    entity, where entries do not balance or do not tie to the statements.
    """
    version, end, currency = _read_period(marts, period_id)
    charges = marts.execute(
        """
        select legal_entity_id, cost_centre_id, service_id, service_name, sum(charged_amount)
        from fct_charges_monthly
        where scenario_id = 'actual' and period_id = ? and charged_amount <> 0
        group by all having sum(charged_amount) <> 0
        order by legal_entity_id, cost_centre_id, service_id
        """,
        [period_id],
    ).fetchall()
    if not charges:
        raise UsageError(f"nothing is charged in {period_id}, so that there is nothing to post")
    homeless = sorted({row[1] for row in charges if row[0] is None})
    if homeless:
        raise ControlError(
            f"cost centres {', '.join(homeless)} are charged in {period_id} and have no legal "
            "entity: give them one in the delivery of cost centres"
        )
    entries = tuple(_make_entries(settings, period_id, charges))
    total = sum((row[4] for row in charges), Decimal(0))
    _refuse_unbalanced(entries)
    _refuse_other_total(marts, period_id, total)
    reference = _make_reference(period_id, version, entries)
    return Journal(period_id, version, end - timedelta(days=1), currency, reference, entries, total)


def _read_period(marts: duckdb.DuckDBPyConnection, period_id: str) -> tuple[int, date, str]:
    row = marts.execute(
        """
        select max(version), any_value(period_end), (select currency_code from dim_run)
        from fct_charges_monthly inner join dim_periods using (period_id)
        where scenario_id = 'actual' and period_id = ?
        """,
        [period_id],
    ).fetchone()
    if row is None or row[0] is None:
        raise UsageError(f"there are no charges of {period_id}: 'apportion period list'")
    return row


def _make_entries(
    settings: JournalSettings, period_id: str, charges: list[tuple[str, str, str, str, Decimal]]
) -> list[Entry]:
    debits = []
    recovered: dict[str, Decimal] = defaultdict(Decimal)
    owed: dict[str, Decimal] = defaultdict(Decimal)
    names: dict[str, str] = {}
    for entity, cost_centre, service, name, amount in charges:
        text = f"IT {period_id} {name}"
        debits.append(_post(entity, settings.debit_account, cost_centre, amount, service, text))
        recovered[service] += amount
        names[service] = name
        if entity != settings.legal_entity:
            owed[entity] += amount
    between = []
    for entity, amount in sorted(owed.items()):
        text = f"IT {period_id} charged by {settings.legal_entity} to {entity}"
        between += [
            _post(entity, settings.payable_account, "", -amount, "", text),
            _post(settings.legal_entity, settings.receivable_account, "", amount, "", text),
        ]
    credits = [
        _post(
            settings.legal_entity,
            settings.credit_account,
            settings.credit_cost_centre,
            -amount,
            service,
            f"IT {period_id} {names[service]}",
        )
        for service, amount in sorted(recovered.items())
    ]
    # An account between entities may come to nothing; a line without an amount posts nothing.
    return [entry for entry in (*debits, *between, *credits) if entry.amount]


def _post(
    entity: str, account: str, cost_centre: str, amount: Decimal, service: str, text: str
) -> Entry:
    debit, credit = max(amount, Decimal(0)), max(-amount, Decimal(0))
    return Entry(entity, account, cost_centre, debit, credit, service, text)


def _refuse_unbalanced(entries: tuple[Entry, ...]) -> None:
    balances: dict[str, Decimal] = defaultdict(Decimal)
    for entry in entries:
        balances[entry.legal_entity_id] += entry.amount
    open_ones = {entity: amount for entity, amount in balances.items() if amount}
    if open_ones:
        found = ", ".join(f"{entity} {amount:+,.2f}" for entity, amount in open_ones.items())
        raise ControlError(f"the journal does not balance per legal entity: {found}")


def _refuse_other_total(marts: duckdb.DuckDBPyConnection, period_id: str, total: Decimal) -> None:
    row = marts.execute(
        "select coalesce(sum(charged_amount), 0) from rpt_bill_lines "
        "where scenario_id = 'actual' and period_id = ?",
        [period_id],
    ).fetchone()
    assert row is not None
    if row[0] != total:
        raise ControlError(
            f"the statements of {period_id} sum to {row[0]:,.2f}, the journal to {total:,.2f}"
        )


def _make_reference(period_id: str, version: int, entries: tuple[Entry, ...]) -> str:
    content = json.dumps(
        [
            [
                entry.legal_entity_id,
                entry.account_id,
                entry.cost_centre_id,
                format(entry.amount.normalize(), "f"),
                entry.service_id,
            ]
            for entry in entries
        ]
    )
    digest = hashlib.sha256(f"{period_id} {version} {content}".encode()).hexdigest()
    return f"IT{period_id.replace('-', '')}V{version}{digest[:REFERENCE_DIGITS].upper()}"
