"""The page Close over a company with books: what blocks, what is late, who signed, and that looking
at it changes nothing."""

from __future__ import annotations

import json
import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from app.close_findings import state_close
from app.navigation import CLOSE
from app.queries.close import CloseFacts, CloseUnknown
from pipelines.books.books import Books
from pipelines.books.person import act_as
from pipelines.close.blockers import Blocker
from pipelines.close.calendar.ticks import tick_task
from pipelines.close.period_states import PeriodState, calculate
from pipelines.warehouse.closed_periods import MANIFEST_NAME, find_directory
from pipelines.workspace.workspace import Workspace
from tests.app.conftest import OpenPage, clean, read_title
from tests.app.marts import FEB, JAN, Marts, Row, build_company, publish
from tests.closed_periods import FIGURES, PREPARER, close_period

GOLDEN = Path(__file__).parents[1] / "golden" / "small_company" / "inputs"
CALENDAR = """
close:
  calendar:
    tasks:
      - {id: accruals, name: Book accruals, working_day: -1, owner: Accounting}
      - {id: sign, name: Approve, working_day: 5, owner: Control, done_when: step approve}
"""


def _item(kind: str, amount: str, period: str = FEB, **more: object) -> Row:
    return {
        "scenario_id": "actual",
        "period_id": period,
        "version": 1,
        "bill_item_id": f"{kind}{amount}",
        "item_kind": kind,
        "service_name": "E-mail",
        "business_unit_name": "Sales",
        "amount": Decimal(amount),
        **more,
    }


ITEMS: list[Row] = [
    _item("charge", "500.00"),
    _item("charge", "-20.00"),
    _item("correction", "-12.30", origin_period_id=JAN, reason="A late credit of January"),
    _item("charge", "99.00", JAN),
]


@pytest.fixture
def company_with_books(tmp_path: Path) -> Path:
    """January closed, February calculated and ticked once; rules and settings of a golden company,
    whose ledger has not landed."""
    marts: Marts = {**build_company(), "fct_bill_items_monthly": ITEMS}
    root = publish(tmp_path / "company", marts)
    shutil.copytree(GOLDEN / "cost_model", root / "cost_model")
    settings = (GOLDEN / "apportion.yml").read_text("utf-8")
    (root / "apportion.yml").write_text(settings + CALENDAR, "utf-8")
    workspace = Workspace.open(root)
    books = Books.open(workspace)
    close_period(books, JAN)
    _write_manifest(workspace)
    with act_as(PREPARER, is_demo=True):
        calculate(books, FEB, FIGURES)
        tick_task(books, workspace.config, FEB, "accruals")
    _land(books, workspace)
    books.close()
    return root


def _write_manifest(workspace: Workspace) -> None:
    """What a build reads of the close of January: it was made of no deliveries."""
    directory = find_directory(workspace, JAN, 1)
    directory.mkdir(parents=True)
    file = {"name": f"{directory.name}.duckdb", "sha256": "", "bytes": 0}
    (directory / MANIFEST_NAME).write_text(json.dumps({"inputs": [], "files": [file]}), "utf-8")


def _land(books: Books, workspace: Workspace) -> None:
    """Loads of what a build requires: without them no fingerprint can be made."""
    from sqlalchemy import text

    config = workspace.config
    required = {config.control_total.source}
    required |= {name for name, source in config.sources.items() if source.is_required}
    with books.begin() as connection:
        for number, name in enumerate(sorted(required)):
            connection.execute(
                text(
                    "insert into loads (source_id, contract_id, scenario_id, mapping_id, "
                    "file_name, sha256, bytes, records_delivered, records_accepted, "
                    "records_quarantined, amounts, notes, landed_at, landed_by) values "
                    "(:source, 'general_ledger', 'actual', 'canonical', 'a.csv', :sha, 1, 1, 1, 0, "
                    "'{}', '[]', '2026-03-02T08:00:00+00:00', 'lena')"
                ),
                {"source": name, "sha": f"{number:064d}"},
            )


def test_title_says_what_blocks_and_what_it_is_worth(
    company_with_books: Path, open_page: OpenPage
) -> None:
    """The rules are other ones than those of the published run, so that it is outdated."""
    test = open_page(company_with_books, CLOSE, period=FEB)
    shown = "\n".join(clean(element.value) for element in [*test.markdown, *test.caption])
    assert read_title(test).startswith("Feb 2026 is blocked by")
    assert (
        "deliveries, decisions or rules have changed since the published run".capitalize() in shown
    )
    assert "Run 'apportion build', then calculate the period again. It cannot be accepted." in shown
    figures = {
        clean(metric.label): (clean(metric.value), clean(metric.delta)) for metric in test.metric
    }
    assert figures["State"][0] == "calculated"
    assert figures["Tasks done"][0] == "1 of 2"
    assert f"calculated by {PREPARER}" in shown
    calendar, kinds, notes, periods = (frame.value for frame in test.dataframe)
    assert list(calendar["task"]) == ["Book accruals", "Approve"]
    assert calendar["who"][0] == PREPARER
    assert kinds[["item_kind", "item_count", "debit_amount", "credit_amount", "amount"]].to_dict(
        "records"
    ) == [
        {
            "item_kind": "Charge",
            "item_count": 2,
            "debit_amount": Decimal("500.00"),
            "credit_amount": Decimal("-20.00"),
            "amount": Decimal("480.00"),
        },
        {
            "item_kind": "Credit or debit note",
            "item_count": 1,
            "debit_amount": Decimal("0.00"),
            "credit_amount": Decimal("-12.30"),
            "amount": Decimal("-12.30"),
        },
    ]
    assert list(notes["reason"]) == ["A late credit of January"]
    assert list(zip(periods["period"].map(clean), periods["state"], strict=True)) == [
        ("Feb 2026", "calculated"),
        ("Jan 2026", "closed"),
    ]
    assert "Head of the chain, close number 1" in shown


def test_a_step_shows_at_the_next_rerun_and_looking_writes_nothing(
    company_with_books: Path, open_page: OpenPage
) -> None:
    test = open_page(company_with_books, CLOSE, period=FEB)
    books = Books.open(Workspace.open(company_with_books))
    with books.read() as connection:
        before = connection.exec_driver_sql("select count(*) from audit_log").scalar()
    test.run()
    with books.read() as connection:
        assert connection.exec_driver_sql("select count(*) from audit_log").scalar() == before
    config = Workspace.open(company_with_books).config
    with act_as(PREPARER, is_demo=True):
        tick_task(books, config, FEB, "accruals", is_done=False, why="one was forgotten")
    books.close()
    test.run()
    assert {clean(metric.label): clean(metric.value) for metric in test.metric}["Tasks done"] == (
        "0 of 2"
    )


def test_a_closed_period_says_so(company_with_books: Path, open_page: OpenPage) -> None:
    test = open_page(company_with_books, CLOSE, period=JAN)
    assert read_title(test) == "Jan 2026 is closed, close number 1"
    assert "What blocks" not in [clean(element.value) for element in test.subheader]


def test_without_books_the_page_says_what_to_do(company: Path, open_page: OpenPage) -> None:
    test = open_page(company, CLOSE)
    assert read_title(test) == "The close of Feb 2026 cannot be judged"
    assert any("apportion period list" in clean(info.value) for info in test.info)
    assert not (company / "books.sqlite").exists()


def _facts(state: str, *blockers: Blocker, version: int = 1) -> CloseFacts:
    found = PeriodState("2026-03", version=version, state=state, close_number=7)
    return CloseFacts(found, {}, [], [], list(blockers), 0, "")


BLOCKERS = (
    Blocker("a", "one", "do", Decimal("-12000.40")),
    Blocker("b", "two", "do", Decimal("400.00")),
    Blocker("c", "three", "do"),
    Blocker("d", "four", "do", Decimal("999"), accepted_by="Anton", why="small"),
)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (_facts("approved"), "Mar 2026 can be closed: nothing blocks"),
        (_facts("approved", BLOCKERS[3]), "Mar 2026 can be closed: nothing blocks"),
        (_facts("open"), "Nothing blocks Mar 2026; next it is calculated"),
        (_facts("calculated"), "Nothing blocks Mar 2026; next somebody else reviews it"),
        (_facts("reviewed", *BLOCKERS), "Mar 2026 is blocked by 3 things worth 12.4 k EUR"),
        (_facts("open", BLOCKERS[2]), "Mar 2026 is blocked by 1 thing"),
        (_facts("closed", version=2), "Mar 2026 is closed as version 2, close number 7"),
        (CloseUnknown("no books"), "The close of Mar 2026 cannot be judged"),
    ],
)
def test_titles(facts: CloseFacts | CloseUnknown, expected: str) -> None:
    assert clean(state_close(facts, "2026-03", "EUR")) == expected
