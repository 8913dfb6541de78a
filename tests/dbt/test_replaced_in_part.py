"""A delivery of two months of which one is closed and the other one is replaced: the closed month
goes on being made of what it was closed with, and everything that proves it says so."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.books.books import Books
from pipelines.close.close_period import close_period
from pipelines.close.desk import CloseDesk
from pipelines.close.evidence_pack.write_pack import write_pack
from pipelines.close.verify import verify
from pipelines.landing.land import land_inbox
from pipelines.warehouse.build import build
from pipelines.warehouse.lake_views import list_active_loads
from pipelines.warehouse.pins import find_pins
from pipelines.workspace.workspace import Workspace
from tests.closed_periods import approve_published
from tests.crash.kills import hash_frozen

from .golden import Golden

JANUARY, FEBRUARY = "2026-01", "2026-02"
LEDGER = "general_ledger.csv"
MORE = Decimal("100.00")


class Replaced:
    """The small company with January closed, and February's part of its ledger replaced."""

    def __init__(self, root: Path) -> None:
        self.root = root
        workspace = Workspace.open(root)
        config = root / "apportion.yml"
        known = f"inbox: {LEDGER}, is_required: true"
        text = config.read_text("utf-8")
        assert known in text
        settings = 'inbox: "general_ledger*.csv", redelivery: replace_period, '
        settings += "hold_above_percent: null"
        config.write_text(text.replace(known, settings), "utf-8")
        books = Books.open(workspace)
        approve_published(CloseDesk(workspace, books), JANUARY)
        close_period(CloseDesk(workspace, books), JANUARY)
        books.close()
        self.workspace = Workspace.open(root)
        self.books = Books.open(self.workspace)
        self.golden = Golden("small_company", self.workspace, self.books)
        self.frozen = hash_frozen(root)
        self.before = self.read_delivered()
        (root / "inbox" / "general_ledger_2.csv").write_text(self._write_february(), "utf-8")
        (landed,) = [r for r in land_inbox(self.workspace, self.books) if r.state != "known"]
        assert landed.state == "landed", landed
        build(self.workspace, self.books)

    def _write_february(self) -> str:
        """February's one posting of 100.00, with 100.00 more."""
        with (self.root / "inbox" / LEDGER).open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row["period_id"] == FEBRUARY]
        changed = next(row for row in rows if row["currency_code"] == "EUR")
        changed["amount_local"] = str(Decimal(changed["amount_local"]) + MORE)
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()

    def read_delivered(self) -> dict[str, Decimal]:
        rows = self.golden.query(
            "select period_id, amount from rpt_certificate "
            "where scenario_id = 'actual' and term_id = 'delivered'"
        )
        return {period: Decimal(amount) for period, amount in rows}


@pytest.fixture(scope="module")
def replaced(small_company: Golden, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replaced]:
    root = tmp_path_factory.mktemp("part") / "company"
    shutil.copytree(small_company.workspace.root, root, ignore=shutil.ignore_patterns(".dbt"))
    made = Replaced(root)
    yield made
    made.books.close()


def test_only_the_open_month_changes(replaced: Replaced) -> None:
    after = replaced.read_delivered()
    assert after.pop(FEBRUARY) == replaced.before.pop(FEBRUARY) + MORE
    assert after == replaced.before
    differences = replaced.golden.query(
        "select distinct amount from rpt_certificate where side = 'difference'"
    )
    assert differences == [("0",)]


def test_the_closed_month_is_not_restated(replaced: Replaced) -> None:
    """The first file counts in January as it did: nothing differs, and no note is posted."""
    active = list_active_loads(replaced.workspace, replaced.books)
    ledger = {
        load.file_name: load.replaced_periods for load in active if "ledger" in load.file_name
    }
    assert ledger[LEDGER] == (FEBRUARY,)
    pins = find_pins(replaced.workspace, replaced.books, active)
    assert pins.restated == {}
    assert replaced.golden.query("select * from rpt_corrections") == []


def test_the_close_is_verified_in_depth(replaced: Replaced) -> None:
    assert hash_frozen(replaced.root) == replaced.frozen
    assert verify(replaced.workspace, replaced.books, deep=True).problems == []


def test_evidence_names_what_each_month_was_made_of(replaced: Replaced, tmp_path: Path) -> None:
    """January of the first file; February, once it is closed, of both, each for its part."""
    january = write_pack(replaced.workspace, replaced.books, JANUARY, output=tmp_path)
    assert LEDGER in _read_inputs(january.directory)
    assert "general_ledger_2.csv" not in _read_inputs(january.directory)
    desk = CloseDesk(replaced.workspace, replaced.books)
    approve_published(desk, FEBRUARY)
    close_period(desk, FEBRUARY)
    assert verify(replaced.workspace, replaced.books, deep=True).problems == []
    february = write_pack(replaced.workspace, replaced.books, FEBRUARY, output=tmp_path)
    assert "general_ledger_2.csv" in _read_inputs(february.directory)


def _read_inputs(directory: Path) -> str:
    (path,) = directory.rglob("inputs.csv")
    return path.read_text("utf-8")
