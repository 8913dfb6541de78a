"""A dispute is opened by one person and decided by another, on SQLite and on PostgreSQL; what the
code refuses the database refuses too, whoever writes to it."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from pipelines.books.audit import find_chain_breaks
from pipelines.books.books import Books
from pipelines.books.person import act_as
from pipelines.books.tables import audit_log
from pipelines.disputes.bill_items import BillItem
from pipelines.disputes.disputes import (
    SERVICE_CREDIT,
    Dispute,
    accept,
    comment,
    list_disputes,
    list_messages,
    open_dispute,
    propose_adjustment,
    read_dispute,
    reject,
    withdraw,
)
from pipelines.errors import ControlError, UsageError
from pipelines.warehouse.adjustments import Adjustment, list_adjustments
from tests.closed_periods import close_period

OLGA, FINN = "Olga Owner", "Finn Finance"
CALENDAR = ["2026-01", "2026-02", "2026-03"]


def _as(name: str) -> AbstractContextManager[None]:
    return act_as(name, is_demo=True)


def _open(books: Books, line: BillItem, amount: str | None = "100.50") -> Dispute:
    with _as(OLGA):
        given = None if amount is None else Decimal(amount)
        return open_dispute(books, line, "we left in May", given)


def _accept(
    books: Books,
    dispute: Dispute,
    amount: str | None = "80",
    who: str = FINN,
    why: str = "right",
    kind: str | None = None,
) -> Dispute:
    given = None if amount is None else Decimal(amount)
    with _as(who):
        return accept(
            *(books, dispute.dispute_id, why, given, kind),
            with_cost=CALENDAR[:2],
            calendar=CALENDAR,
        )


def _read(books: Books, dispute: Dispute) -> Dispute:
    with books.read() as connection:
        return read_dispute(connection, dispute.dispute_id)


def _execute(books: Books, *statements: str) -> None:
    with books.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def test_dispute_is_opened_talked_over_and_accepted(either_books: Books, line: BillItem) -> None:
    opened = _open(either_books, line)
    assert opened.dispute_id.startswith("D-")
    assert opened.dispute_id.endswith("-0001")
    assert (opened.asked_amount, opened.line_amount) == (Decimal("-100.50"), Decimal("162.98"))
    with _as(FINN):
        comment(either_books, opened.dispute_id, "Which contract?")
    accepted = _accept(either_books, opened)
    assert _read(either_books, opened) == accepted
    assert (accepted.state, accepted.decided_by, accepted.decision_reason) == (
        *("accepted", FINN),
        "right",
    )
    assert (accepted.adjusted_amount, accepted.adjustment_kind, accepted.posting_period_id) == (
        *(Decimal("-80.00"), "adjustment"),
        "2026-01",
    )
    with either_books.read() as connection:
        (said,) = list_messages(connection, opened.dispute_id)
        actions = list(connection.execute(audit_log.select()).mappings())
        assert find_chain_breaks(connection) == []
        assert list_disputes(connection, "open") == []
    assert (said.message, said.person_name) == ("Which contract?", FINN)
    assert [row["action"] for row in actions] == [
        *("dispute open", "dispute comment"),
        "dispute accepted",
    ]
    assert json.loads(actions[-1]["details"])["adjusted_cents"] == -8000


def test_what_is_accepted_is_posted_and_nothing_else(either_books: Books, line: BillItem) -> None:
    accepted = _accept(either_books, _open(either_books, line))
    _open(either_books, line, "1")
    with _as(FINN):
        reject(either_books, _open(either_books, replace(line, bill_item_id="c2")).dispute_id, "no")
    assert list_adjustments(either_books) == (
        Adjustment(
            *(accepted.dispute_id, "2026-01", "adjustment", "mail", "cc-sales"),
            *("2026-01", 1, "c1", "right", Decimal("-80.00")),
        ),
    )


def test_who_opened_a_dispute_does_not_decide_it(either_books: Books, line: BillItem) -> None:
    opened = _open(either_books, line)
    for name in (OLGA, f"  {OLGA.upper()}  ", OLGA.lower()):
        with pytest.raises(ControlError, match="somebody else must accept"):
            _accept(either_books, opened, who=name)
        with _as(name), pytest.raises(ControlError, match="somebody else must reject"):
            reject(either_books, opened.dispute_id, "no")
    assert _read(either_books, opened) == opened


def test_who_opened_a_dispute_alone_withdraws_it(either_books: Books, line: BillItem) -> None:
    opened = _open(either_books, line)
    with _as(FINN), pytest.raises(ControlError, match="you may reject it"):
        withdraw(either_books, opened.dispute_id, "never mind")
    with _as(OLGA):
        assert withdraw(either_books, opened.dispute_id, "found it").state == "withdrawn"
    # The line is free for another one.
    assert _open(either_books, line).dispute_id.endswith("-0002")


def test_one_dispute_is_open_on_a_line(either_books: Books, line: BillItem) -> None:
    first = _open(either_books, line)
    with _as(FINN), pytest.raises(ControlError, match=f"{first.dispute_id} of {OLGA} is open"):
        open_dispute(either_books, line, "me too")


def test_decided_is_decided(either_books: Books, line: BillItem) -> None:
    opened = _open(either_books, line)
    with _as(FINN):
        reject(either_books, opened.dispute_id, "in use until July")
        with pytest.raises(ControlError, match=f"is rejected, by {FINN} on .*: in use until July"):
            _accept(either_books, opened)
        comment(either_books, opened.dispute_id, "see the licence")


REFUSED_AMOUNTS = {
    "162.99": "the line is 162.98 EUR, and 162.99 are disputed",
    "0": "above zero",
    "-5": "above zero",
    "1.005": "whole cents",
    "NaN": "whole cents",
}


def test_amount_is_a_part_of_the_line(either_books: Books, line: BillItem) -> None:
    for amount, message in REFUSED_AMOUNTS.items():
        with pytest.raises(UsageError, match=message):
            _open(either_books, line, amount)


def test_more_than_the_line_is_disputed_where_it_is_said(
    either_books: Books, line: BillItem
) -> None:
    with _as(OLGA):
        opened = open_dispute(
            either_books, line, "and the month before", Decimal(200), is_above_line=True
        )
    with pytest.raises(UsageError, match=r"asks for 200.00 EUR; 200.01 are more"):
        _accept(either_books, opened, "200.01")
    assert _accept(either_books, opened, None).adjusted_amount == Decimal(-200)


def test_reason_is_asked_for(either_books: Books, line: BillItem) -> None:
    with pytest.raises(UsageError, match="--why"):
        open_dispute(either_books, line, "  ")
    opened = _open(either_books, line)
    with pytest.raises(UsageError, match="--why"):
        _accept(either_books, opened, why=" ")
    with pytest.raises(UsageError, match="expected a text"):
        comment(either_books, opened.dispute_id, "")
    with pytest.raises(UsageError, match="there is no dispute 'D-1999-0001'"):
        comment(either_books, "D-1999-0001", "?")


def test_finance_proposes_and_somebody_else_accepts(either_books: Books, line: BillItem) -> None:
    with _as(FINN):
        credit = propose_adjustment(
            either_books, line, Decimal(-50), SERVICE_CREDIT, "two days down"
        )
        with pytest.raises(ControlError, match="somebody else must accept"):
            _accept(either_books, credit)
        other = replace(line, bill_item_id="c2")
        debit = propose_adjustment(either_books, other, Decimal(7), "adjustment", "forgotten")
        with pytest.raises(UsageError, match="takes from the bill"):
            propose_adjustment(either_books, line, Decimal(7), SERVICE_CREDIT, "x")
    assert credit.dispute_id.startswith("A-")
    with pytest.raises(UsageError, match="proposes a service_credit"):
        _accept(either_books, credit, None, OLGA, kind="adjustment")
    assert _accept(either_books, credit, None, OLGA).adjustment_kind == SERVICE_CREDIT
    assert _accept(either_books, debit, "5", OLGA).adjusted_amount == Decimal(5)


def test_adjustment_is_posted_after_what_is_closed(either_books: Books, line: BillItem) -> None:
    opened = _open(either_books, line)
    close_period(either_books, "2026-01")
    assert _accept(either_books, opened).posting_period_id == "2026-02"


def _run_at_once(*steps: Callable[[], object]) -> list[object]:
    """What each gives back, or the refusal that it is told."""
    start, outcomes = threading.Barrier(len(steps)), []

    def run(step: Callable[[], object]) -> None:
        start.wait()
        try:
            outcomes.append(step())
        except ControlError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=run, args=(step,)) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_of_two_who_decide_at_once_one_is_told(either_books: Books, line: BillItem) -> None:
    opened = _open(either_books, line)

    def reject_it() -> Dispute:
        with _as("Rita Rejects"):
            return reject(either_books, opened.dispute_id, "no")

    outcomes = _run_at_once(lambda: _accept(either_books, opened), reject_it)
    (won,) = [item for item in outcomes if isinstance(item, Dispute)]
    (told,) = [item for item in outcomes if isinstance(item, ControlError)]
    assert _read(either_books, opened) == won
    assert f"is {won.state}, by {won.decided_by}" in str(told)
    with either_books.read() as connection:
        assert find_chain_breaks(connection) == []


def test_of_two_who_open_at_once_one_is_told(either_books: Books, line: BillItem) -> None:
    outcomes = _run_at_once(*[lambda: _open(either_books, line)] * 2)
    (opened,) = [item for item in outcomes if isinstance(item, Dispute)]
    (told,) = [item for item in outcomes if isinstance(item, ControlError)]
    assert "is open on the same line" in str(told) or "at the same moment" in str(told)
    with either_books.read() as connection:
        assert list_disputes(connection) == [opened]
        assert find_chain_breaks(connection) == []


DECISION = "decided_by = 'Finn', decided_at = 'now', decision_reason = 'yes'"
ACCEPTED = (
    f"update disputes set state = 'accepted', {DECISION}, adjustment_kind = 'adjustment', "
    "posting_period_id = '2026-02', adjusted_cents = -100"
)
REFUSED_WRITES = {
    "a decision by who opened it": (
        ACCEPTED.replace("'Finn'", f"' {OLGA.upper()} '"),
        "ck_disputes_decider_differs",
    ),
    "a rejection by who opened it": (
        f"update disputes set state = 'rejected', {DECISION}".replace("Finn", OLGA),
        "ck_disputes_decider_differs",
    ),
    "a withdrawal by somebody else": (
        f"update disputes set state = 'withdrawn', {DECISION}",
        "ck_disputes_withdrawn_by_opener",
    ),
    "a decision by nobody": (
        ACCEPTED.replace("'Finn'", "' '"),
        "ck_disputes_decision",
    ),
    "a decision without a reason": (ACCEPTED.replace("'yes'", "null"), "ck_disputes_decision"),
    "an acceptance of nothing": (ACCEPTED.replace("-100", "null"), "ck_disputes_adjustment"),
    "an acceptance of no kind": (
        ACCEPTED.replace("'adjustment'", "null"),
        "ck_disputes_adjustment",
    ),
    "an acceptance in no period": (ACCEPTED.replace("'2026-02'", "null"), "ck_disputes_adjustment"),
    "a rejection with money": (
        ACCEPTED.replace("'accepted'", "'rejected'"),
        "ck_disputes_adjustment",
    ),
    "more than was asked for": (ACCEPTED.replace("-100", "-10051"), "ck_disputes_adjusted"),
    "a debit in place of a credit": (ACCEPTED.replace("-100", "100"), "ck_disputes_adjusted"),
    "a posting before what is disputed": (
        ACCEPTED.replace("2026-02", "2025-12"),
        "ck_disputes_posting",
    ),
    "a posting in a closed period": (
        ACCEPTED.replace("2026-02", "2026-01"),
        "neither approved nor closed",
    ),
    "another amount": ("update disputes set asked_cents = -1", "by its decision alone"),
    "another amount with the decision": (
        ACCEPTED + ", asked_cents = -200",
        "what is disputed stands fast",
    ),
    "another charge with the decision": (
        ACCEPTED + ", charge_id = 'c9'",
        "what is disputed stands fast",
    ),
    "a deletion": ("delete from disputes", "never deleted"),
    "another message": ("update dispute_messages set message = 'x'", "only appended to"),
    "a message deleted": ("delete from dispute_messages", "only appended to"),
    "a message of nothing": (
        "insert into dispute_messages (dispute_id, message, person_name, written_at) "
        "select dispute_id, ' ', 'x', 'now' from disputes",
        "ck_dispute_messages_message",
    ),
}
COPY = (
    "insert into disputes (dispute_id, raised_by, scenario_id, period_id, version, bill_item_id, "
    "item_kind, charge_id, service_id, service_name, cost_centre_id, cost_centre_name, "
    "business_unit_id, business_unit_name, currency_code, line_cents, asked_cents, reason, "
    "opened_by, opened_at, state, decided_by, decided_at, decision_reason, adjustment_kind) "
    "select 'D-2', raised_by, scenario_id, period_id, version, {item}, item_kind, charge_id, "
    "service_id, service_name, cost_centre_id, cost_centre_name, business_unit_id, "
    "business_unit_name, currency_code, line_cents, {asked}, reason, opened_by, opened_at, "
    "{state}, {who}, {who}, {who}, {kind} from disputes"
)
GIVEN = {"item": "'c2'", "asked": "-100", "state": "'open'", "who": "null", "kind": "null"}
REFUSED_WRITES |= {
    "a second one on the line": (
        COPY.format(**GIVEN | {"item": "bill_item_id"}),
        "uq_disputes_open_item|bill_item_id",
    ),
    "one that is born decided": (
        COPY.format(**GIVEN | {"state": "'rejected'", "who": "'x'"}),
        "begins open",
    ),
    "a debit that a business unit asks for": (
        COPY.format(**GIVEN | {"asked": "100"}),
        "ck_disputes_asked",
    ),
    "an unknown kind": (COPY.format(**GIVEN | {"kind": "'gift'"}), "ck_disputes_kind"),
}


def test_database_refuses(either_books: Books, line: BillItem) -> None:
    """One after the other on the same rows, since each leaves them as they were."""
    close_period(either_books, "2026-01")
    opened = _open(either_books, line)
    comment(either_books, opened.dispute_id, "hello")
    refused = dict(REFUSED_WRITES)
    if either_books.engine.dialect.name == "postgresql":
        emptied = "truncate disputes, dispute_messages"
        refused["all emptied at once"] = (emptied, "never deleted|only appended to")
    for what, (statement, message) in refused.items():
        try:
            _execute(either_books, statement)
        except DatabaseError as error:
            assert re.search(message, str(error.orig)), (what, error)
        else:
            pytest.fail(f"the database takes {what}")
    assert _read(either_books, opened) == opened


def test_database_takes_a_decision_that_keeps_the_rules(
    either_books: Books, line: BillItem
) -> None:
    """What the refused ones differ from: with all in order it is written, once."""
    opened = _open(either_books, line)
    _execute(either_books, ACCEPTED)
    assert _read(either_books, opened).adjusted_amount == Decimal(-1)
    for statement in (ACCEPTED, "update disputes set decision_reason = 'other'"):
        with pytest.raises(DatabaseError, match="decided is never changed"):
            _execute(either_books, statement)
