"""The journal of a period: what finance posts so that the ledger says what was billed.

Each item of a bill debits the consumer's cost centre and credits IT: its recovery, or the account
of a mark-up or a tax, which recover no cost. Where the consumer is another legal entity than IT,
both post: the consumer owes it to IT (payable), IT is owed it (receivable), so that the entries of
every legal entity balance by themselves. A negative item changes sides. Amounts are the cents of
the items; nothing is rounded here. Items of one consumer, service and kind are one entry.

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
CHARGE = "charge"
TEXTS = {
    "charge": "",
    "correction": ", correction of {origin}",
    "adjustment": ", adjustment of {origin}",
    "service_credit": ", service credit for {origin}",
    "mark_up": ", mark-up",
    "tax": ", tax",
    "true_up": ", true-up of the year",
}


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
    item_kind: str = CHARGE
    origin_period_id: str = ""
    """Period that is corrected; empty where it is the journal's own."""

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
    """What is billed: the sum of the consumers' debits less their credits."""


@dataclass(frozen=True)
class _Item:
    """What one consumer is billed for one service and reason; a credit is negative."""

    legal_entity_id: str
    cost_centre_id: str
    service_id: str
    service_name: str
    item_kind: str
    origin_period_id: str
    amount: Decimal


def load_journal(
    marts: duckdb.DuckDBPyConnection, settings: JournalSettings, period_id: str
) -> Journal:
    """The journal of the published bills of a period.

    Raises UsageError where nothing of it is billed or an account is not configured, ControlError
    where a consumer has no legal entity, where entries do not balance or do not tie to the bills.
    """
    version, end, currency = _read_period(marts, period_id)
    items = _read_items(marts, period_id, version)
    if not items:
        raise UsageError(f"nothing is billed in {period_id}, so that there is nothing to post")
    homeless = sorted({item.cost_centre_id for item in items if item.legal_entity_id is None})
    if homeless:
        raise ControlError(
            f"cost centres {', '.join(homeless)} are billed in {period_id} and have no legal "
            "entity: give them one in the delivery of cost centres"
        )
    entries = tuple(_make_entries(settings, period_id, items))
    total = sum((item.amount for item in items), Decimal(0))
    _refuse_unbalanced(entries)
    _refuse_other_totals(marts, period_id, version, items)
    reference = _make_reference(period_id, version, entries)
    return Journal(period_id, version, end - timedelta(days=1), currency, reference, entries, total)


def _read_period(marts: duckdb.DuckDBPyConnection, period_id: str) -> tuple[int, date, str]:
    row = marts.execute(
        """
        select max(version), any_value(period_end), (select currency_code from dim_run)
        from fct_bill_items_monthly inner join dim_periods using (period_id)
        where scenario_id = 'actual' and period_id = ?
        """,
        [period_id],
    ).fetchone()
    if row is None or row[0] is None:
        raise UsageError(f"there are no charges of {period_id}: 'apportion period list'")
    return row


def _read_items(marts: duckdb.DuckDBPyConnection, period_id: str, version: int) -> list[_Item]:
    """The items that come to something, by consumer; charges before what is billed besides."""
    rows = marts.execute(
        """
        select legal_entity_id, cost_centre_id, service_id, max(service_name) as service_name,
            item_kind, origin_period_id, sum(amount) as amount
        from fct_bill_items_monthly
        where scenario_id = 'actual' and period_id = $period and version = $version
        group by legal_entity_id, cost_centre_id, service_id, item_kind, origin_period_id
        having sum(amount) <> 0
        order by legal_entity_id, cost_centre_id, service_id,
            list_position($kinds, item_kind), origin_period_id
        """,
        {"period": period_id, "version": version, "kinds": list(TEXTS)},
    ).fetchall()
    return [_Item(*row) for row in rows]


def _make_entries(settings: JournalSettings, period_id: str, items: list[_Item]) -> list[Entry]:
    debits, credits, owed = [], [], defaultdict[str, Decimal](Decimal)
    recovered: dict[tuple[str, int, str], list[_Item]] = defaultdict(list)
    order = list(TEXTS)
    for item in items:
        entity, account = item.legal_entity_id, settings.debit_account
        debits.append(_post(entity, account, item.cost_centre_id, item, item.amount, period_id))
        place = (item.service_id, order.index(item.item_kind), item.origin_period_id)
        recovered[place].append(item)
        if entity != settings.legal_entity:
            owed[entity] += item.amount
    for _, found in sorted(recovered.items()):
        amount = -sum((item.amount for item in found), Decimal(0))
        account = _find_credit_account(settings, period_id, found[0].item_kind)
        centre = settings.credit_cost_centre
        credits.append(_post(settings.legal_entity, account, centre, found[0], amount, period_id))
    between = _post_between(settings, period_id, owed)
    # An account between entities may come to nothing; a line without an amount posts nothing.
    return [entry for entry in (*debits, *between, *credits) if entry.amount]


def _find_credit_account(settings: JournalSettings, period_id: str, item_kind: str) -> str:
    """Cost is recovered; a mark-up and a tax are not cost. Raises UsageError where their account
    is not configured."""
    accounts = {"mark_up": settings.mark_up_account, "tax": settings.tax_account}
    account = accounts.get(item_kind, settings.credit_account)
    if account is None:
        name = {"mark_up": "a mark-up", "tax": "tax"}[item_kind]
        raise UsageError(
            f"{period_id} bills {name}, and apportion.yml gives no account for it: set "
            f"'journal.{item_kind}_account', see docs/reference/workspace.md"
        )
    return account


def _post_between(
    settings: JournalSettings, period_id: str, owed: dict[str, Decimal]
) -> list[Entry]:
    entries = []
    for entity, amount in sorted(owed.items()):
        text = f"IT {period_id} billed by {settings.legal_entity} to {entity}"
        for side, account, value in (
            (entity, settings.payable_account, -amount),
            (settings.legal_entity, settings.receivable_account, amount),
        ):
            debit, credit = max(value, Decimal(0)), max(-value, Decimal(0))
            entries.append(Entry(side, account, "", debit, credit, "", text))
    return entries


def _post(
    entity: str, account: str, cost_centre: str, item: _Item, amount: Decimal, period_id: str
) -> Entry:
    origin = item.origin_period_id
    reason = TEXTS[item.item_kind].format(origin=origin)
    return Entry(
        entity,
        account,
        cost_centre,
        max(amount, Decimal(0)),
        max(-amount, Decimal(0)),
        item.service_id,
        f"IT {period_id} {item.service_name}{reason}",
        item.item_kind,
        "" if origin == period_id else origin,
    )


def _refuse_unbalanced(entries: tuple[Entry, ...]) -> None:
    balances: dict[str, Decimal] = defaultdict(Decimal)
    for entry in entries:
        balances[entry.legal_entity_id] += entry.amount
    open_ones = {entity: amount for entity, amount in balances.items() if amount}
    if open_ones:
        found = ", ".join(f"{entity} {amount:+,.2f}" for entity, amount in open_ones.items())
        raise ControlError(f"the journal does not balance per legal entity: {found}")


def _refuse_other_totals(
    marts: duckdb.DuckDBPyConnection, period_id: str, version: int, items: list[_Item]
) -> None:
    """The lines of the statements, and the certificate, were summed by others: they must agree."""
    row = marts.execute(
        """
        select
            (select coalesce(sum(charged_amount), 0) from rpt_bill_lines
            where scenario_id = 'actual' and period_id = $period and version = $version),
            (select sum(amount_cents) from rpt_certificate
            where scenario_id = 'actual' and period_id = $period and version = $version
                and identity_id = 'billed' and side = 'left')
        """,
        {"period": period_id, "version": version},
    ).fetchone()
    assert row is not None
    charged = sum((item.amount for item in items if item.item_kind == CHARGE), Decimal(0))
    total = sum((item.amount for item in items), Decimal(0))
    for what, expected, posted in (
        ("lines of the statements", row[0], charged),
        ("bills on the certificate", row[1], total),
    ):
        if expected != posted:
            found = "nothing" if expected is None else f"{expected:,.2f}"
            raise ControlError(
                f"the {what} of {period_id} sum to {found}, the journal to {posted:,.2f}"
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
                # A charge has the reference that it had when there was nothing but charges.
                *([] if entry.item_kind == CHARGE else [entry.item_kind, entry.origin_period_id]),
            ]
            for entry in entries
        ]
    )
    digest = hashlib.sha256(f"{period_id} {version} {content}".encode()).hexdigest()
    return f"IT{period_id.replace('-', '')}V{version}{digest[:REFERENCE_DIGITS].upper()}"
