"""The page of disputes reads the books as they are at this moment, and cannot write them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import text

from app.charts.disputes import draw_ageing
from app.findings import state_disputes
from app.formats import to_text
from app.navigation import DISPUTES
from pipelines.books.books import BOOKS_URL_VARIABLE, Books
from pipelines.books.person import act_as
from pipelines.close.period_states import calculate
from pipelines.close.preview import Answer, answer_bill, list_bills, send_preview
from pipelines.disputes.bill_items import BillItem, find_charge
from pipelines.disputes.disputes import (
    Dispute,
    accept,
    comment,
    open_dispute,
    propose_adjustment,
    reject,
)
from pipelines.warehouse.reader import open_published
from pipelines.workspace.workspace import Workspace
from tests.app.conftest import FEBRUARY, OpenPage, clean, read_title
from tests.app.marts import FEB, JAN
from tests.app.test_pages import TIE, read_all, read_figures
from tests.closed_periods import APPROVER, FIGURES, PREPARER

OWNER = "Olga *Owner*"


@pytest.fixture
def workspace(company: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small company, without books yet."""
    monkeypatch.delenv(BOOKS_URL_VARIABLE, raising=False)
    return Path(shutil.copytree(company, tmp_path / "company"))


def _find(workspace: Path, period: str, service: str, cost_centre: str) -> BillItem:
    with open_published(Workspace.open(workspace)) as marts:
        return find_charge(marts, period, service, cost_centre)


def _open_at(
    books: Books, item: BillItem, days_ago: int, amount: str, monkeypatch: pytest.MonkeyPatch
) -> Dispute:
    at = (datetime.now(UTC) - timedelta(days=days_ago)).isoformat(timespec="microseconds")
    with monkeypatch.context() as patched, act_as(OWNER, is_demo=True):
        patched.setattr("pipelines.disputes.disputes.current_time", lambda: at)
        return open_dispute(books, item, "we <left> in May", Decimal(amount))


def test_without_books_the_page_says_so_and_makes_none(
    workspace: Path, open_page: OpenPage
) -> None:
    test = open_page(workspace, DISPUTES, period=FEB)
    assert read_title(test) == "What is disputed on the bills of Feb 2026 cannot be read"
    assert "Run 'apportion period list' once" in read_all(test)
    assert not Workspace.open(workspace).books_path.exists()


def test_nothing_in_dispute_says_how_to_open_one(workspace: Path, open_page: OpenPage) -> None:
    Books.open(Workspace.open(workspace)).close()
    test = open_page(workspace, DISPUTES, period=FEB)
    assert read_title(test) == "No dispute is open, and no comment on the bills of Feb 2026"
    shown = read_all(test)
    assert "Nothing is in dispute. A business unit disputes a line" in shown.replace("**", "")
    assert "apportion period preview 2026-02" in shown


def test_open_disputes_stand_with_age_amount_and_conversation(
    workspace: Path, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """100 for 41 days and 20 of E-mail, 12.50 proposed of Storage: 132.50 are open."""
    books = Books.open(Workspace.open(workspace))
    mail, storage = _find(workspace, FEB, "mail", "CC10"), _find(workspace, FEB, "storage", "CC20")
    old = _open_at(books, mail, 41, "100", monkeypatch)
    _open_at(books, _find(workspace, JAN, "mail", "CC10"), 2, "20", monkeypatch)
    with act_as(APPROVER, is_demo=True):
        comment(books, old.dispute_id, "Which contract?")
        propose_adjustment(books, storage, Decimal("-12.50"), "service_credit", "two days down")
    books.close()
    test = open_page(workspace, DISPUTES, period=FEB)
    assert read_title(test) == (
        "2 disputes and 1 proposed adjustment over 132.50 EUR are open, the oldest for 41 days"
    )
    figures = read_figures(test)
    assert figures["Open"] == ("3", "to be decided")
    assert figures["Oldest"] == ("41 days", "31-60 days")
    shown = [clean(element.value) for element in test.markdown]
    (head,) = [one for one in shown if old.dispute_id in one]
    assert "100.00 EUR less** on 240.00 EUR for E-mail, Field sales (Sales), Feb 2026" in head
    (talk,) = [one for one in shown if "Which contract?" in one]
    assert "Olga *Owner*" in talk
    assert "we <left> in May" in talk
    assert TIE in [clean(caption.value) for caption in test.caption]


def test_decisions_and_answers_are_shown(
    workspace: Path, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = Workspace.open(workspace)
    books = Books.open(space)
    first = _open_at(books, _find(workspace, JAN, "mail", "CC10"), 9, "100", monkeypatch)
    second = _open_at(books, _find(workspace, JAN, "storage", "CC20"), 5, "7", monkeypatch)
    with act_as(APPROVER, is_demo=True):
        reject(books, first.dispute_id, "in use until July")
        accept(books, second.dispute_id, "right", with_cost=[JAN, FEB], calendar=[JAN, FEB])
    with open_published(space) as marts:
        bills = {bill.business_unit_id: bill for bill in list_bills(marts, JAN)}
    with books.begin() as connection:
        connection.execute(
            text(
                "insert into runs (run_id, fingerprint, state, started_at, person_name, steps) "
                "values ('run', '', 'published', '', '', '[]')"
            )
        )
    with act_as(PREPARER, is_demo=True):
        calculate(books, JAN, FIGURES)
        send_preview(books, JAN, FIGURES, 5)
    with act_as(OWNER, is_demo=True):
        answer_bill(books, JAN, FIGURES, bills["SAL"], "too much")
        answer_bill(books, JAN, FIGURES, replace(bills["FIN"], bill_hash="0" * 64), None)
    books.close()
    test = open_page(workspace, DISPUTES, period=JAN)
    assert read_title(test) == "No dispute is open; 1 comment on the bills of Jan 2026 is"
    assert read_figures(test)["Posted"] == ("-7.00 EUR", "1 adjustment")
    answers, decided = (frame.value for frame in test.dataframe)
    # Finance answered another bill than the one that is published.
    assert list(answers["unit"]) == ["Finance", "Sales"]
    assert list(answers["answer"]) == ["Acknowledged (bill has changed)", "Comment"]
    assert [to_text(value) for value in answers["comment"]] == ["", "too much"]
    assert list(decided["state"]) == ["accepted", "rejected"]
    assert [to_text(value) for value in decided["posting"]] == [JAN, ""]


def _make_answer(answer: str) -> Answer:
    return Answer("SAL", "Sales", Decimal(1), answer)


def test_finding_of_disputes(line: BillItem) -> None:
    values = {name: value for name, value in vars(line).items() if name != "amount"}
    one = Dispute(
        *("D-2026-0001", "business_unit"),
        **values,
        line_amount=line.amount,
        asked_amount=Decimal("-12400"),
        reason="x",
        opened_by="Olga",
        opened_at="2026-01-01T00:00:00+00:00",
    )
    day = pd.Timestamp("2026-01-02", tz="UTC")

    def state(waiting: list[Dispute], *answers: str) -> str:
        given = [_make_answer(answer) for answer in answers]
        return clean(state_disputes(waiting, given, FEBRUARY, "EUR", day))

    assert state([one], "commented") == "1 dispute over 12.4 k EUR is open, for 1 day"
    assert state([replace(one, raised_by="finance")] * 2) == (
        "2 proposed adjustments over 24.8 k EUR are open, the oldest for 1 day"
    )
    assert state([], "commented", "none", "commented") == (
        "No dispute is open; 2 comments on the bills of Feb 2026 are"
    )
    assert state([], "acknowledged") == (
        "No dispute is open, and no comment on the bills of Feb 2026"
    )


def test_ageing_is_drawn_with_every_bucket_in_its_order() -> None:
    buckets = [("0-30", 2, Decimal("120.50")), ("31-60", 0, Decimal(0)), (">90", 1, Decimal(7))]
    figure = draw_ageing(buckets, "EUR")
    (bars,) = figure.data
    assert list(bars.x) == ["0-30", "31-60", ">90"]
    assert list(bars.y) == [120.5, 0.0, 7.0]
    assert list(bars.text) == ["2", "", "1"]
    assert figure.layout.xaxis.type == "category"
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == (
        "Days open",
        "In dispute (EUR)",
    )
