"""An export is the files of a closed period, whole and the same each time, or nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from pipelines.billing.focus.check_files import BrokenFocusError
from pipelines.billing.focus.export_focus import export_focus, write_checked
from pipelines.books.books import BOOKS_URL_VARIABLE, Books
from pipelines.cli.main import run
from pipelines.errors import ControlError
from pipelines.warehouse.publication import Publication, PublishedFile, write_publication
from pipelines.workspace.workspace import Workspace
from tests.closed_periods import close_period

from .conftest import MARCH, MARTS, load

CONFIG = """\
name: Example Works
currency: EUR
calendar: {first_period: 2026-01, last_period: 2026-12}
control_total: {source: ledger}
sources: {ledger: {contract: general_ledger, inbox: "ledger/*"}}
focus: {payment_terms: Net 30}
"""
FILES = {
    f"{dataset}.{kind}"
    for dataset in ("billing_period", "cost_and_usage", "invoice_detail")
    for kind in ("csv", "parquet")
}


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """The bills of conftest, published."""
    monkeypatch.delenv(BOOKS_URL_VARIABLE, raising=False)
    (tmp_path / "apportion.yml").write_text(CONFIG, "utf-8")
    (tmp_path / "warehouse").mkdir()
    with duckdb.connect(str(tmp_path / "warehouse" / "run-1.duckdb")) as connection:
        connection.execute(MARTS)
    found = Workspace.open(tmp_path)
    write_publication(
        found, Publication("1", "", "", (PublishedFile("run-1.duckdb", "open", "", 0),))
    )
    return found


def read(path: Path, column: str) -> set[str]:
    with duckdb.connect() as connection:
        query = f"select {column} from read_csv('{path}', all_varchar = true)"
        return {row[0] for row in connection.execute(query).fetchall()}


def test_only_a_closed_period_is_issued(workspace: Workspace) -> None:
    books = Books.open(workspace)
    with pytest.raises(ControlError, match="2026-03 is open: only the bills of a closed period"):
        export_focus(workspace, books, MARCH)
    assert not (workspace.root / "exports").exists()
    preview = export_focus(workspace, books, MARCH, is_preview=True)
    assert preview.directory.name == "2026-03_v1_focus_1.4_preview"
    assert {path.name for path in preview.directory.iterdir()} == FILES
    lines = preview.directory / "invoice_detail.csv"
    assert read(lines, "InvoiceIssueStatus") == {"Open"}
    assert read(lines, "InvoiceIssueDate") == {None}
    assert read(lines, "InvoiceDetailLastUpdated") == {"2026-04-03T06:30:00Z"}
    assert read(lines, "PaymentTerms") == {"Net 30"}
    books.close()


def test_closed_period_gives_the_same_bytes_again(workspace: Workspace) -> None:
    books = Books.open(workspace)
    close_period(books, MARCH)
    first = export_focus(workspace, books, MARCH).directory
    kept = {path.name: path.read_bytes() for path in first.iterdir()}
    (first / "left_over.txt").write_text("from an earlier version", "utf-8")
    again = export_focus(workspace, books, MARCH).directory
    books.close()
    assert again == first == workspace.root / "exports" / "2026-03_v1_focus_1.4"
    assert {path.name: path.read_bytes() for path in again.iterdir()} == kept
    assert [path.name for path in first.parent.iterdir()] == [first.name]
    assert read(first / "billing_period.csv", "BillingPeriodStatus") == {"Closed"}
    assert read(first / "invoice_detail.csv", "InvoiceIssueStatus") == {"Issued"}


def test_files_that_do_not_tie_are_not_left(
    marts: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Neither in place of earlier ones nor beside them."""
    target = tmp_path / "exports" / "2026-03"
    bills = load(marts)
    write_checked(bills, "1.4", target)
    before = {path.name: path.stat().st_mtime_ns for path in target.iterdir()}
    wrong = replace(bills, invoices={**bills.invoices, "2026-03-LOG-v1": Decimal("812.95")})
    with pytest.raises(BrokenFocusError) as refused:
        write_checked(wrong, "1.4", target)
    assert "2026-03 was not written: 4 problems" in str(refused.value)
    assert "2026-03-LOG-v1 is not its statement; expected 812.95; found 812.96" in str(
        refused.value
    )
    assert [path.name for path in target.parent.iterdir()] == [target.name]
    assert {path.name: path.stat().st_mtime_ns for path in target.iterdir()} == before


def test_commands_write_and_check(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    root = str(workspace.root)
    assert run(["export", "focus", MARCH, "-w", root]) == 4
    assert "only the bills of a closed period are issued" in capsys.readouterr().err
    assert run(["export", "focus", MARCH, "--focus-version", "1.3", "-w", root]) == 2
    capsys.readouterr()
    assert run(["export", "focus", MARCH, "--preview", "--json", "-w", root]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["invoices"], answer["total"]) == (2, "3095.63")
    assert answer["rows"] == {"cost_and_usage": 14, "invoice_detail": 13, "billing_period": 1}
    assert run(["export", "check", answer["directory"]]) == 0
    assert "nothing is wrong" in capsys.readouterr().out
    path = Path(answer["directory"]) / "billing_period.csv"
    path.write_text(path.read_text("utf-8").replace("Open", "Ajar"), "utf-8")
    assert run(["export", "check", str(path)]) == 4
    assert "has a value that is not allowed, in 1 row; found Ajar" in capsys.readouterr().out
