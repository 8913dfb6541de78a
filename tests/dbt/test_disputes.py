"""What was accepted of a dispute becomes an item of a bill, once, and the proof ties.

The small company's January is closed from the shared build; Olga disputes her bill of it, finance
credits 80.00 of the 162.98 for Customer Relations and, by itself, 50.00 for Resource Planning. One
build later both stand on the bill of February, which charges nobody anything: -130.00 in all.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.books.books import Books
from pipelines.books.person import act_as
from pipelines.close.blocker import Blocker
from pipelines.close.close_period import close_period
from pipelines.close.desk import CloseDesk
from pipelines.close.period_states import Figures, approve
from pipelines.close.verify import verify
from pipelines.disputes.desk import DisputeDesk, Line
from pipelines.disputes.disputes import Dispute
from pipelines.errors import ControlError, UsageError
from pipelines.warehouse.adjustments import list_adjustments
from pipelines.warehouse.build import build
from pipelines.warehouse.reader import open_published
from pipelines.workspace.workspace import Workspace
from tests.closed_periods import APPROVER, PREPARER

from .golden import Golden

JANUARY, FEBRUARY = "2026-01", "2026-02"
OWNER, FINANCE = "Olga Owner", "Finn Finance"


@dataclass(frozen=True)
class Company:
    """The small company after its disputes were decided and built."""

    closing: CloseDesk
    disputes: DisputeDesk
    accepted: Dispute
    credit: Dispute
    refused: str
    """What was said to an approval of February before the build."""

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with open_published(self.closing.workspace) as marts:
            return marts.execute(sql).fetchall()


@contextmanager
def _as(name: str) -> Iterator[None]:
    with act_as(name, is_demo=True):
        yield


def _approve(desk: CloseDesk, period: str) -> None:
    with _as(PREPARER):
        desk.calculate(period)
    with _as(APPROVER):
        desk.review(period)
        for blocker in desk.list_blockers(period):
            desk.accept(period, blocker.blocker_id, "as it is in the golden company")
        desk.approve(period)


@pytest.fixture(scope="module")
def company(small_company: Golden, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    root = tmp_path_factory.mktemp("disputes") / "company"
    shutil.copytree(small_company.workspace.root, root, ignore=shutil.ignore_patterns(".dbt"))
    workspace = Workspace.open(root)
    books = Books.open(workspace)
    closing, desk = CloseDesk(workspace, books), DisputeDesk(workspace, books)
    _approve(closing, JANUARY)
    close_period(closing, JANUARY)
    with _as(PREPARER):
        closing.calculate(FEBRUARY)
    with _as(OWNER):
        line = Line(JANUARY, "crm", "cc-ops")
        opened = desk.open(line, "left in May", Decimal("100.50"), is_above_line=False)
    with _as(FINANCE):
        accepted = desk.accept(opened.dispute_id, "right", Decimal(80), None)
        line = Line(JANUARY, "erp", "cc-ops")
        proposed = desk.propose(line, Decimal(-50), "service_credit", "two days down")
    with _as(APPROVER):
        credit = desk.accept(proposed.dispute_id, "agreed", None, None)
        closing.review(FEBRUARY)
        with pytest.raises(ControlError) as refused:
            closing.approve(FEBRUARY)
    assert build(workspace, books).is_new
    yield Company(closing, desk, accepted, credit, str(refused.value))
    books.close()


def test_figures_without_what_was_accepted_are_not_approved(company: Company) -> None:
    assert "outdated: deliveries, decisions or rules have changed" in company.refused


def test_approval_that_came_after_the_look_is_not_closed(company: Company, tmp_path: Path) -> None:
    """What was posted between a look at the figures and their approval would be left out."""

    class Hasty(CloseDesk):
        def look(self, period_id: str) -> tuple[Figures, list[Blocker]]:
            seen = super().look(period_id)
            with _as(APPROVER):
                approve(self.books, period_id, seen[0])
            return seen

    root = tmp_path / "company"
    shutil.copytree(company.closing.workspace.root, root)
    workspace = Workspace.open(root)
    books = Books.open(workspace)
    desk = CloseDesk(workspace, books)
    with _as(PREPARER):
        desk.calculate(FEBRUARY)
    with _as(APPROVER):
        desk.review(FEBRUARY)
    with pytest.raises(ControlError, match="2026-02 is reviewed; only an approved period"):
        close_period(Hasty(workspace, books), FEBRUARY)
    books.close()


def test_the_same_adjustments_are_built_once(company: Company) -> None:
    assert not build(company.closing.workspace, company.closing.books).is_new


def test_what_was_accepted_stands_on_the_next_bill(company: Company) -> None:
    charges = dict(
        company.query(
            "select service_id, charge_id from fct_charges_monthly where cost_centre_id = 'cc-ops' "
            "and scenario_id = 'actual' and period_id = '2026-01'"
        )
    )
    items = company.query(
        "select item_kind, reference_id, reason, service_id, service_name, cost_centre_name, "
        "business_unit_id, origin_period_id, origin_version, origin_charge_id, amount "
        "from fct_bill_items_monthly where scenario_id = 'actual' and period_id = '2026-02' "
        "order by amount"
    )
    accepted, credit = company.accepted.dispute_id, company.credit.dispute_id
    at = ("Operations", "factory", "2026-01", 1)
    erp = (charges["erp"], Decimal("-50.00"))
    crm = (charges["crm"], Decimal("-80.00"))
    assert items == [
        ("adjustment", accepted, "right", "crm", "Customer Relations", *at, *crm),
        ("service_credit", credit, "agreed", "erp", "Resource Planning", *at, *erp),
    ]


def test_certificates_tie_and_the_closed_bills_stay(company: Company) -> None:
    found = company.query(
        "select period_id, term_id, amount from rpt_certificate where scenario_id = 'actual' "
        "and identity_id = 'billed' and term_id in ('billed', 'charged', 'adjustments', "
        "'difference') order by period_id, term_order"
    )
    # 162.98 + 451.24 + 488.95 + 132.77 + 132.77 in January, see ../golden/small_company.
    assert [(period, term, str(amount.normalize())) for period, term, amount in found] == [
        ("2026-01", "billed", "1368.71"),
        ("2026-01", "charged", "1368.71"),
        ("2026-01", "adjustments", "0"),
        ("2026-01", "difference", "0"),
        ("2026-02", "billed", "-1.3E+2"),
        ("2026-02", "charged", "0"),
        ("2026-02", "adjustments", "-1.3E+2"),
        ("2026-02", "difference", "0"),
    ]


def test_adjustment_belongs_to_its_period_for_ever(company: Company, tmp_path: Path) -> None:
    """February is closed with them; the next one waits for March, whose cost has not come."""
    root = tmp_path / "company"
    shutil.copytree(company.closing.workspace.root, root)
    workspace = Workspace.open(root)
    books = Books.open(workspace)
    closing, desk = CloseDesk(workspace, books), DisputeDesk(workspace, books)
    before = list_adjustments(books)
    _approve(closing, FEBRUARY)
    close_period(closing, FEBRUARY)
    with _as(OWNER):
        line = Line(FEBRUARY, bill_item_id=company.accepted.dispute_id)
        again = desk.open(line, "half of it only", Decimal(1), is_above_line=False)
        with pytest.raises(UsageError, match="a line is named by --service and --cost-centre"):
            desk.open(Line(FEBRUARY, "crm"), "x", None, is_above_line=False)
    with _as(FINANCE):
        assert desk.accept(again.dispute_id, "so be it", None, None).posting_period_id == "2026-03"
    after = list_adjustments(books)
    assert [item for item in after if item.period_id == FEBRUARY] == list(before)
    assert len(after) == 3
    assert verify(workspace, books, deep=True).problems == []
    books.close()
