"""Bills are previewed, acknowledged and commented on, on SQLite and on PostgreSQL, and an answer is
to the bill that was seen."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from decimal import Decimal

import duckdb
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from pipelines.books.audit import find_chain_breaks
from pipelines.books.books import Books
from pipelines.books.person import act_as
from pipelines.close.blocker import Blocker
from pipelines.close.period_states import Figures, approve, calculate, read_state, review
from pipelines.close.preview import (
    Answer,
    Bill,
    Preview,
    answer_bill,
    find_preview,
    list_answers,
    list_bills,
    send_preview,
)
from pipelines.close.preview_blockers import find_preview_blockers
from pipelines.disputes.bill_items import BillItem
from pipelines.disputes.disputes import open_dispute, withdraw
from pipelines.errors import ControlError, UsageError
from pipelines.workspace.config import WorkspaceConfig
from tests.closed_periods import APPROVER, FIGURES, PREPARER, close_period

JANUARY = "2026-01"
OWNER = "Olga Owner"
OTHER = Figures("run", "1" * 64)
SALES = Bill("SAL", "Sales", Decimal("450.00"), "a" * 64)
FINANCE = Bill("FIN", "Finance", Decimal("400.00"), "b" * 64)
BILLS = [FINANCE, SALES]


def _as(name: str) -> AbstractContextManager[None]:
    return act_as(name, is_demo=True)


@pytest.fixture
def previewed(either_books: Books) -> Books:
    """Books in which January is calculated and sent for preview."""
    with either_books.begin() as connection:
        connection.execute(
            text(
                "insert into runs (run_id, fingerprint, state, started_at, person_name, steps) "
                "values ('run', '', 'published', '', '', '[]')"
            )
        )
    with _as(PREPARER):
        calculate(either_books, JANUARY, FIGURES)
        send_preview(either_books, JANUARY, FIGURES, 5)
    return either_books


def _list(books: Books, bills: list[Bill] = BILLS) -> list[Answer]:
    with books.read() as connection:
        assert find_chain_breaks(connection) == []
        return list_answers(connection, JANUARY, 1, bills)


def _answer(books: Books, bill: Bill, comment: str | None = None, who: str = OWNER) -> Answer:
    with _as(who):
        return answer_bill(books, JANUARY, FIGURES, bill, comment)


def test_units_answer_and_the_latest_answer_counts(previewed: Books) -> None:
    assert [item.is_missing for item in _list(previewed)] == [True, True]
    _answer(previewed, SALES, "we left in May")
    _answer(previewed, FINANCE)
    finance, sales = _list(previewed)
    assert (finance.answer, finance.person_name, finance.is_missing) == (
        *("acknowledged", OWNER),
        False,
    )
    assert (sales.comment, sales.is_open_comment, sales.is_missing) == (
        *("we left in May", True),
        False,
    )
    _answer(previewed, SALES)
    assert not _list(previewed)[1].is_open_comment


def test_answer_is_to_the_bill_that_was_seen(previewed: Books) -> None:
    """Sales' bill changes and Finance's does not: only Sales is asked again."""
    _answer(previewed, SALES)
    _answer(previewed, FINANCE)
    changed = [FINANCE, replace(SALES, amount=Decimal("449.99"), bill_hash="c" * 64)]
    assert [item.is_outdated for item in _list(previewed, changed)] == [False, True]
    assert [item.is_missing for item in _list(previewed, changed)] == [False, True]


def test_comment_stays_open_where_the_bill_changes(previewed: Books) -> None:
    _answer(previewed, SALES, "we left in May")
    (sales,) = _list(previewed, [replace(SALES, bill_hash="c" * 64)])
    assert (sales.is_open_comment, sales.is_outdated) == (True, True)


def test_hash_is_that_of_the_items_of_the_unit(previewed: Books) -> None:
    with duckdb.connect() as marts:
        marts.execute(
            "create table fct_bill_items_monthly as "
            "select 'actual' as scenario_id, '2026-01' as period_id, unit as business_unit_id, "
            "unit || ' unit' as business_unit_name, item, amount::decimal(28, 2) as amount "
            "from (values ('SAL', 'i1', 400), ('SAL', 'i2', 50), ('FIN', 'i3', 400), "
            "('(allocated)', 'i4', 1)) as items (unit, item, amount)"
        )
        before = {bill.business_unit_id: bill for bill in list_bills(marts, JANUARY)}
        # The sum stays, the items change.
        marts.execute(
            "update fct_bill_items_monthly set amount = amount + "
            "case item when 'i1' then -1 when 'i2' then 1 else 0 end"
        )
        after = {bill.business_unit_id: bill for bill in list_bills(marts, JANUARY)}
    assert {unit: bill.amount for unit, bill in before.items()} == {"SAL": 450, "FIN": 400}
    assert after["FIN"] == before["FIN"]
    assert after["SAL"].amount == before["SAL"].amount
    assert after["SAL"].bill_hash != before["SAL"].bill_hash


def test_what_is_not_previewed_is_not_answered(previewed: Books) -> None:
    with _as(OWNER):
        with pytest.raises(ControlError, match="have changed since they were sent for preview"):
            answer_bill(previewed, JANUARY, OTHER, SALES, None)
        with pytest.raises(ControlError, match="2026-02 were not sent for preview"):
            answer_bill(previewed, "2026-02", FIGURES, SALES, None)
        with pytest.raises(UsageError, match="--comment expects a text"):
            answer_bill(previewed, JANUARY, FIGURES, SALES, "  ")
        with pytest.raises(ControlError, match="2026-02 is open; a preview is sent of what is"):
            send_preview(previewed, "2026-02", FIGURES, 5)
        with pytest.raises(ControlError, match="not those that"):
            send_preview(previewed, JANUARY, OTHER, 5)
        with pytest.raises(UsageError, match="0 to 60 days"):
            send_preview(previewed, JANUARY, FIGURES, 61)


def test_closed_bill_is_disputed_and_no_more_answered(previewed: Books) -> None:
    close_period(previewed, JANUARY)
    with pytest.raises(ControlError, match="'apportion dispute open'"):
        _answer(previewed, SALES)
    with _as(PREPARER), pytest.raises(ControlError, match="2026-01 is closed; a preview"):
        send_preview(previewed, JANUARY, FIGURES, 5)


def test_who_sent_it_acknowledges_nothing(previewed: Books) -> None:
    with pytest.raises(ControlError, match="somebody else must acknowledge"):
        _answer(previewed, SALES, who=f" {PREPARER.upper()} ")
    # A comment that came by telephone can be written down.
    assert _answer(previewed, SALES, "says Sam: too much", PREPARER).is_open_comment


REFUSED_WRITES = {
    "another comment": ("update bill_answers set comment = 'x'", "only appended to"),
    "an answer deleted": ("delete from bill_answers", "only appended to"),
    "another deadline": (
        "update bill_previews set answer_until = '2099-01-01'",
        "only appended to",
    ),
    "an unknown answer": ("'maybe', null, 'x'", "ck_bill_answers_answer"),
    "a comment of nothing": ("'commented', ' ', 'x'", "ck_bill_answers_comment"),
    "an acknowledgement by who sent it": (
        f"'acknowledged', null, ' {PREPARER.upper()}'",
        "does not acknowledge it",
    ),
}


def test_database_refuses(previewed: Books) -> None:
    _answer(previewed, SALES, "we left in May")
    before = _list(previewed)
    for what, (statement, message) in REFUSED_WRITES.items():
        written = statement
        if statement.startswith("'"):
            written = (
                "insert into bill_answers (preview_id, scenario_id, period_id, version, "
                "business_unit_id, bill_hash, answered_at, answer, comment, person_name) select "
                f"preview_id, scenario_id, period_id, version, 'FIN', '', '', {statement} "
                "from bill_previews"
            )
        try:
            with previewed.begin() as connection:
                connection.execute(text(written))
        except DatabaseError as error:
            assert message in str(error.orig), what
        else:
            pytest.fail(f"the database takes {what}")
    assert _list(previewed) == before


def _make_config(preview: str) -> WorkspaceConfig:
    return WorkspaceConfig.model_validate(
        {
            "name": "Example",
            "currency": "EUR",
            "calendar": {"first_period": "2026-01", "last_period": "2026-12"},
            "control_total": {"source": "ledger"},
            "sources": {"ledger": {"contract": "general_ledger", "inbox": "ledger/*"}},
            "close": {"preview": preview},
        }
    )


def _block(books: Books, preview: str = "required") -> dict[str, Blocker]:
    with duckdb.connect() as marts, books.read() as connection:
        marts.execute(
            "create table fct_bill_items_monthly as "
            "select 'actual' as scenario_id, '2026-01' as period_id, unit as business_unit_id, "
            "unit as business_unit_name, 1.00::decimal(28, 2) as amount "
            "from (values ('SAL'), ('FIN')) as units (unit)"
        )
        state = read_state(connection, JANUARY)
        found = find_preview_blockers(connection, marts, _make_config(preview), state)
    return {item.blocker_id: item for item in found}


def test_preview_that_is_required_blocks_until_it_is_answered(
    previewed: Books, line: BillItem
) -> None:
    found = _block(previewed)
    assert set(found) == {"answers"}
    assert "2 of 2 business units may still answer until" in found["answers"].finding
    with _as(OWNER):
        opened = open_dispute(previewed, line, "too much", Decimal(5))
    _answer(previewed, SALES, "too much")
    found = _block(previewed)
    assert set(found) == {"answers", "comment:SAL", f"dispute:{opened.dispute_id}"}
    assert found["comment:SAL"].finding == (
        f"{OWNER} commented on the bill of SAL: too much (the bill has changed since)"
    )
    assert _block(previewed, "optional") == {}
    with _as(OWNER):
        withdraw(previewed, opened.dispute_id, "settled")
    _answer(previewed, SALES)
    assert set(_block(previewed)) == {"answers"}


def test_silence_after_the_deadline_blocks_nothing(
    previewed: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert set(_block(previewed)) == {"answers"}
    monkeypatch.setattr(
        "pipelines.close.preview_blockers.current_time", lambda: "2099-01-01T00:00:00+00:00"
    )
    assert _block(previewed) == {}


def test_figures_that_changed_are_sent_again(previewed: Books) -> None:
    with _as(PREPARER):
        calculate(previewed, JANUARY, OTHER)
    assert _block(previewed)["preview"].finding.startswith("the bills have changed since")
    with _as(PREPARER):
        again = send_preview(previewed, JANUARY, OTHER, 0)
    assert set(_block(previewed)) == {"answers"}
    with previewed.read() as connection:
        found = find_preview(connection, read_state(connection, JANUARY))
    assert isinstance(found, Preview)
    assert found == again
    with _as(APPROVER):
        review(previewed, JANUARY, OTHER)
        approve(previewed, JANUARY, OTHER)
    with _as(PREPARER), pytest.raises(ControlError, match="2026-01 is approved; a preview"):
        send_preview(previewed, JANUARY, OTHER, 5)
