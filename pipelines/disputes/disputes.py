"""Disputes of bills, and adjustments that finance proposes by itself: opened, talked over, decided.

    open -> accepted | rejected | withdrawn

- A business unit disputes an item of a bill with a reason and an amount. Finance proposes an
  adjustment where nobody disputed anything: a service credit after an outage, say.
- Somebody else than who opened it accepts or rejects it; who opened it may withdraw it. Names that
  differ by case or spaces alone are one person. The database refuses it too, whoever writes to it.
- Accepting gives it an amount, at most what was asked for, and a posting period, see posting.py.
- A decided row never changes; what is said to it is only appended to.

Every step is one transaction: dispute, conversation and audit log change together or not at all.
Two people who decide at once queue up; the second one is told what the first one did.
Amounts are Decimals with cents in the reporting currency; a credit is negative.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipelines.books.audit import append_audit
from pipelines.books.books import Books, current_time
from pipelines.books.person import current_person, is_same_person
from pipelines.close.period_states import ACTUAL
from pipelines.disputes.posting import find_posting_period, lock_states
from pipelines.errors import ControlError, UsageError

if TYPE_CHECKING:
    from sqlalchemy import Connection, RowMapping

    from pipelines.disputes.bill_items import BillItem

BUSINESS_UNIT, FINANCE = "business_unit", "finance"
ADJUSTMENT, SERVICE_CREDIT = "adjustment", "service_credit"
KINDS = (ADJUSTMENT, SERVICE_CREDIT)
STATES = ("open", "accepted", "rejected", "withdrawn")
PREFIXES = {BUSINESS_UNIT: "D", FINANCE: "A"}
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Dispute:
    """A dispute, or an adjustment that finance proposed."""

    dispute_id: str
    raised_by: str
    """Who raised it: 'business_unit' for a dispute, 'finance' for an adjustment of its own."""
    period_id: str
    version: int
    bill_item_id: str
    item_kind: str
    charge_id: str | None
    service_id: str
    service_name: str
    cost_centre_id: str
    cost_centre_name: str
    business_unit_id: str
    business_unit_name: str
    currency_code: str
    line_amount: Decimal
    asked_amount: Decimal
    """By how much the bill should change."""
    reason: str
    opened_by: str
    opened_at: str
    state: str = "open"
    decided_by: str | None = None
    decided_at: str | None = None
    decision_reason: str | None = None
    adjustment_kind: str | None = None
    adjusted_amount: Decimal | None = None
    """By how much it changes."""
    posting_period_id: str | None = None


@dataclass(frozen=True)
class Message:
    """Something that was said to a dispute."""

    dispute_id: str
    message: str
    person_name: str
    written_at: str


def open_dispute(
    books: Books,
    item: BillItem,
    reason: str,
    amount: Decimal | None = None,
    *,
    is_above_line: bool = False,
) -> Dispute:
    """Dispute an item of a bill. `amount`: how much of it, above zero; all of it where left out.

    Raises UsageError where the amount is above the item's and `is_above_line` does not say that
    this is meant, ControlError where the item is in dispute already.
    """
    disputed = _read_cents(abs(item.amount) if amount is None else amount)
    if disputed > abs(item.amount) and not is_above_line:
        raise UsageError(
            f"the line is {item.amount:,.2f} {item.currency_code}, and {disputed:,.2f} are "
            "disputed. Give at most the amount of the line, or say --above-line."
        )
    return _open(books, item, BUSINESS_UNIT, -disputed, reason, None)


def propose_adjustment(
    books: Books, item: BillItem, amount: Decimal, kind: str, reason: str
) -> Dispute:
    """Propose an adjustment without a dispute, which somebody else accepts. `amount`: by how much
    the bill changes; a credit is negative, a service credit is one."""
    if kind not in KINDS:
        raise UsageError(f"expected a kind of {' or '.join(KINDS)}, found '{kind}'")
    changed = _read_cents(abs(amount)).copy_sign(amount)
    if kind == SERVICE_CREDIT and changed > 0:
        raise UsageError("a service credit takes from the bill: give it as --credit")
    return _open(books, item, FINANCE, changed, reason, kind)


def comment(books: Books, dispute_id: str, text: str) -> Message:
    """Say something to a dispute; it stands for ever. Raises UsageError without a text."""
    from pipelines.books.tables import dispute_messages

    _require(text, "a text, for those who read the dispute later")
    with books.begin() as connection:
        _read_locked(connection, dispute_id)
        said = Message(dispute_id, text, current_person(), current_time())
        connection.execute(dispute_messages.insert().values(**vars(said)))
        append_audit(connection, "dispute comment", dispute_id, {"message": text})
    return said


def accept(
    books: Books,
    dispute_id: str,
    why: str,
    amount: Decimal | None = None,
    kind: str | None = None,
    *,
    with_cost: Sequence[str],
    calendar: Sequence[str],
) -> Dispute:
    """Accept a dispute or a proposed adjustment: by all that was asked for, or by `amount` of it,
    above zero. `with_cost` and `calendar` are periods, see posting.py.

    Raises ControlError where it is decided already or the same person opened it.
    """
    with _deciding(books, dispute_id, why, "accept") as (connection, dispute):
        given = _read_cents(abs(dispute.asked_amount) if amount is None else amount)
        if given > abs(dispute.asked_amount):
            raise UsageError(
                f"{dispute_id} asks for {abs(dispute.asked_amount):,.2f} "
                f"{dispute.currency_code}; {given:,.2f} are more. What goes beyond it is an "
                "adjustment of its own: 'apportion adjust'."
            )
        states = lock_states(connection)
        return _decide(
            connection,
            dispute,
            "accepted",
            why,
            adjustment_kind=_choose_kind(dispute, kind),
            adjusted_amount=given.copy_sign(dispute.asked_amount),
            posting_period_id=find_posting_period(states, dispute.period_id, with_cost, calendar),
        )


def reject(books: Books, dispute_id: str, why: str) -> Dispute:
    """Reject it with a reason. Raises ControlError as `accept` does."""
    with _deciding(books, dispute_id, why, "reject") as (connection, dispute):
        return _decide(connection, dispute, "rejected", why)


def withdraw(books: Books, dispute_id: str, why: str) -> Dispute:
    """Take it back with a reason. Raises ControlError where somebody else opened it."""
    with _deciding(books, dispute_id, why, "withdraw") as (connection, dispute):
        return _decide(connection, dispute, "withdrawn", why)


def read_dispute(connection: Connection, dispute_id: str) -> Dispute:
    """One dispute. Raises UsageError where there is none of that id."""
    from pipelines.books.tables import disputes

    query = disputes.select().where(disputes.c.dispute_id == dispute_id)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise UsageError(f"there is no dispute '{dispute_id}'; 'apportion dispute list' has them")
    return _to_dispute(row)


def list_disputes(connection: Connection, state: str | None = None) -> list[Dispute]:
    """All disputes, or those in a state; the oldest first."""
    from pipelines.books.tables import disputes

    query = disputes.select().order_by(disputes.c.opened_at, disputes.c.dispute_id)
    if state is not None:
        query = query.where(disputes.c.state == state)
    return [_to_dispute(row) for row in connection.execute(query).mappings()]


def list_messages(connection: Connection, dispute_id: str | None = None) -> list[Message]:
    """What was said to a dispute, or to all, in its order."""
    from pipelines.books.tables import dispute_messages as table

    query = table.select().order_by(table.c.message_id)
    if dispute_id is not None:
        query = query.where(table.c.dispute_id == dispute_id)
    return [
        Message(row["dispute_id"], row["message"], row["person_name"], row["written_at"])
        for row in connection.execute(query).mappings()
    ]


def _open(
    books: Books, item: BillItem, raised_by: str, asked: Decimal, reason: str, kind: str | None
) -> Dispute:
    from sqlalchemy.exc import IntegrityError

    from pipelines.books.tables import disputes

    _require(reason, "--why expects a reason, for those who decide")
    try:
        with books.begin() as connection:
            _refuse_second(connection, item)
            now = current_time()
            values = {name: value for name, value in vars(item).items() if name != "amount"}
            opened = Dispute(
                _name_next(connection, raised_by, now[:4]),
                raised_by,
                **values,
                line_amount=item.amount,
                asked_amount=asked,
                reason=reason,
                opened_by=current_person(),
                opened_at=now,
                adjustment_kind=kind,
            )
            connection.execute(disputes.insert().values(scenario_id=ACTUAL, **_to_row(opened)))
            append_audit(connection, "dispute open", opened.dispute_id, _to_row(opened))
    except IntegrityError as error:
        # Two servers' processes that open at once collide on the number, the line or the log.
        raise ControlError(
            f"somebody else wrote to the books at the same moment, and nothing was opened "
            f"({error.orig}). Repeat it."
        ) from error
    return opened


def _refuse_second(connection: Connection, item: BillItem) -> None:
    from pipelines.books.tables import disputes

    query = disputes.select().where(
        disputes.c.scenario_id == ACTUAL,
        disputes.c.period_id == item.period_id,
        disputes.c.bill_item_id == item.bill_item_id,
        disputes.c.state == "open",
    )
    row = connection.execute(query).mappings().first()
    if row is not None:
        raise ControlError(
            f"{row['dispute_id']} of {row['opened_by']} is open on the same line since "
            f"{row['opened_at'][:10]}: say it there, 'apportion dispute comment "
            f"{row['dispute_id']}'"
        )


def _name_next(connection: Connection, raised_by: str, year: str) -> str:
    """D-2026-0001 for a dispute, A-2026-0001 for an adjustment that finance proposes."""
    from sqlalchemy import select

    from pipelines.books.tables import disputes

    prefix = f"{PREFIXES[raised_by]}-{year}-"
    names = connection.execute(
        select(disputes.c.dispute_id).where(disputes.c.dispute_id.like(f"{prefix}%"))
    ).scalars()
    number = max((int(name.removeprefix(prefix)) for name in names), default=0)
    return f"{prefix}{number + 1:04d}"


@contextmanager
def _deciding(
    books: Books, dispute_id: str, why: str, verb: str
) -> Iterator[tuple[Connection, Dispute]]:
    """The transaction of a decision, with the dispute, once the acting person may decide it."""
    _require(why, "--why expects a reason, for those who ask later")
    with books.begin() as connection:
        dispute = _read_locked(connection, dispute_id)
        if dispute.state != "open":
            raise ControlError(
                f"{dispute_id} is {dispute.state}, by {dispute.decided_by} on "
                f"{str(dispute.decided_at)[:10]}: {dispute.decision_reason}"
            )
        is_opener = is_same_person(dispute.opened_by, current_person())
        if verb == "withdraw" and not is_opener:
            raise ControlError(
                f"{dispute.opened_by} opened {dispute_id} and may withdraw it; you may reject it"
            )
        if verb != "withdraw" and is_opener:
            raise ControlError(
                f"{dispute.opened_by} opened {dispute_id}; somebody else must {verb} it"
            )
        yield connection, dispute


def _read_locked(connection: Connection, dispute_id: str) -> Dispute:
    """The dispute; whoever decides it at the same moment waits until this is done."""
    from sqlalchemy import select

    from pipelines.books.tables import disputes

    # SQLite has locked the whole database already, and leaves 'for update' out.
    connection.execute(
        select(disputes.c.state).where(disputes.c.dispute_id == dispute_id).with_for_update()
    ).all()
    return read_dispute(connection, dispute_id)


def _decide(
    connection: Connection, dispute: Dispute, state: str, why: str, **changes: Any
) -> Dispute:
    from pipelines.books.tables import disputes

    decided = replace(
        dispute,
        state=state,
        decided_by=current_person(),
        decided_at=current_time(),
        decision_reason=why,
        **changes,
    )
    before, after = _to_row(dispute), _to_row(decided)
    changed = {name: value for name, value in after.items() if before[name] != value}
    connection.execute(
        disputes.update().where(disputes.c.dispute_id == dispute.dispute_id).values(**changed)
    )
    append_audit(connection, f"dispute {state}", dispute.dispute_id, changed)
    return decided


def _choose_kind(dispute: Dispute, kind: str | None) -> str:
    """The kind that was proposed stands; else the given one; else an adjustment."""
    if kind is not None and kind not in KINDS:
        raise UsageError(f"expected a kind of {' or '.join(KINDS)}, found '{kind}'")
    if dispute.adjustment_kind and kind not in (None, dispute.adjustment_kind):
        raise UsageError(f"{dispute.dispute_id} proposes a {dispute.adjustment_kind}, not a {kind}")
    return dispute.adjustment_kind or kind or ADJUSTMENT


def _read_cents(amount: Decimal) -> Decimal:
    """An amount above zero with whole cents; raises UsageError for another one."""
    if not amount.is_finite() or amount <= 0 or amount != amount.quantize(CENT):
        raise UsageError(f"expected an amount above zero with whole cents, found {amount}")
    return amount.quantize(CENT)


def _require(text: str, expected: str) -> None:
    if not text.strip():
        raise UsageError(expected if expected.startswith("--") else f"expected {expected}")


def _to_row(dispute: Dispute) -> dict[str, Any]:
    """The columns of the books: amounts as whole cents."""
    row = dict(vars(dispute))
    for name in ("line", "asked", "adjusted"):
        amount = row.pop(f"{name}_amount")
        row[f"{name}_cents"] = None if amount is None else int(amount.scaleb(2))
    return row


def _to_dispute(row: RowMapping) -> Dispute:
    values = {name: value for name, value in row.items() if name != "scenario_id"}
    for name in ("line", "asked", "adjusted"):
        cents = values.pop(f"{name}_cents")
        values[f"{name}_amount"] = None if cents is None else Decimal(cents).scaleb(-2)
    return Dispute(**values)
