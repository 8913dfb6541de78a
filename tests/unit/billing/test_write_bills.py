"""Files of a period: their names, that they are whole, and that nothing is left behind."""

from __future__ import annotations

from decimal import Decimal
from io import BytesIO
from pathlib import Path

import duckdb
import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from pipelines.billing import write_bills as module
from pipelines.billing.errors import (
    FailedStatement,
    FailedStatementsError,
    UnbilledChargesError,
)
from pipelines.billing.files import safe_name, write_atomically
from pipelines.billing.pdf import write_pdf
from pipelines.billing.period_figures import load_figures
from pipelines.billing.records import Statement
from pipelines.billing.write_bills import (
    BillFiles,
    choose_units,
    render_statements,
    write_bills,
)
from pipelines.cli.main import run
from pipelines.errors import UsageError
from pipelines.workspace.workspace import Workspace


def test_all_units_of_a_period(workspace: Workspace, tmp_path: Path) -> None:
    told: list[tuple[int, int, str]] = []
    directory = tmp_path / "bills"
    bills = write_bills(
        workspace, "2026-03", None, directory, lambda *progress: told.append(progress)
    )
    assert [(bill.business_unit_id, bill.total) for bill in bills] == [
        ("LOGISTICS", Decimal("833.34")),
        ("RETAIL", Decimal("3166.66")),
    ]
    assert sum(bill.total for bill in bills) == Decimal("4000.00")
    assert sorted(path.name for path in directory.iterdir()) == [
        "2026-03_LOGISTICS.csv",
        "2026-03_LOGISTICS.pdf",
        "2026-03_LOGISTICS.xlsx",
        "2026-03_RETAIL.csv",
        "2026-03_RETAIL.pdf",
        "2026-03_RETAIL.xlsx",
    ]
    assert told == [(1, 2, "Logistics"), (2, 2, "Retail")]


def test_pdf_and_workbook_state_the_same_total(workspace: Workspace, tmp_path: Path) -> None:
    (bill,) = write_bills(workspace, "2026-03", ["LOGISTICS"], tmp_path / "bills", None)
    assert "833.34" in PdfReader(bill.pdf).pages[0].extract_text()
    sheet = load_workbook(BytesIO(bill.xlsx.read_bytes()), data_only=True)["Statement"]
    pairs = {row[0]: row[1] for row in sheet.iter_rows(max_row=20, values_only=True)}
    assert Decimal(str(pairs["Total billed"])) == bill.total == Decimal("833.34")


def test_a_unit_asked_for_twice_is_written_once(workspace: Workspace, tmp_path: Path) -> None:
    bills = write_bills(workspace, "2026-03", ["RETAIL", "RETAIL"], tmp_path / "bills", None)
    assert len(bills) == 1


def test_an_unknown_unit_stops_before_the_first_file(workspace: Workspace, tmp_path: Path) -> None:
    directory = tmp_path / "bills"
    with pytest.raises(UsageError, match="business unit SALES"):
        write_bills(workspace, "2026-03", ["RETAIL", "SALES"], directory, None)
    assert not directory.exists()


def test_charges_that_no_statement_shows_are_refused(
    marts: duckdb.DuckDBPyConnection,
) -> None:
    """Depot's 833.34 without a business unit; the 100.00 of showback would not matter."""
    marts.execute(
        "update fct_bill_items_monthly set business_unit_id = '(allocated)' "
        "where business_unit_id = 'LOGISTICS'"
    )
    figures = load_figures(marts, "2026-03")
    with pytest.raises(UnbilledChargesError, match=r"2026-03: 833\.34 .*no business unit.*5100"):
        choose_units(marts, figures, None)
    assert choose_units(marts, figures, ["RETAIL"]) == ["RETAIL"]


def test_writing_again_replaces_the_files(workspace: Workspace, tmp_path: Path) -> None:
    directory = tmp_path / "bills"
    first = write_bills(workspace, "2026-03", ["RETAIL"], directory, None)[0].pdf.read_bytes()
    again = write_bills(workspace, "2026-03", ["RETAIL"], directory, None)[0].pdf.read_bytes()
    assert first == again
    assert len(list(directory.iterdir())) == 3


def test_a_unit_that_does_not_tie_is_named_and_the_others_are_written(
    workspace: Workspace, tmp_path: Path
) -> None:
    """The bill lines of Logistics lose a cent; the bill items do not."""
    path = workspace.warehouse / "run-0007.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "update marts.rpt_bill_lines set charged_amount = 499.99 where charged_amount = 500.00"
        )
    directory = tmp_path / "bills"
    with pytest.raises(FailedStatementsError) as raised:
        write_bills(workspace, "2026-03", None, directory)
    message = str(raised.value)
    assert message.startswith(
        "1 of 2 statements were not written, the others were:\n  - LOGISTICS:"
    )
    assert "expected 500.00, got 499.99" in message
    assert raised.value.exit_code == 4
    assert [bill.business_unit_id for bill in raised.value.written] == ["RETAIL"]
    assert len(list(directory.iterdir())) == 3


def test_the_command_lists_what_was_written_and_names_what_was_not(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    path = workspace.warehouse / "run-0007.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "update marts.rpt_bill_lines set charged_amount = 499.99 where charged_amount = 500.00"
        )
    directory = workspace.bills / "2026-03"
    directory.mkdir(parents=True)
    (directory / "2026-03_LOGISTICS.csv").write_text("an earlier statement, of other figures")
    assert run(["bill", "2026-03", "--workspace", str(workspace.root)]) == 4
    captured = capsys.readouterr()
    assert "3,166.66" in captured.out
    assert "LOGISTICS: statement 2026-03-LOGISTICS-v1" in captured.err
    assert sorted(path.suffix for path in directory.iterdir()) == [".csv", ".pdf", ".xlsx"]


def test_a_defect_of_one_statement_does_not_stop_the_others(
    marts: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = load_figures(marts, "2026-03")
    statements, failed = module.make_statements(figures, ["LOGISTICS", "RETAIL"])
    assert failed == []

    def fail(statement: Statement, path: Path) -> None:
        if statement.recipient.business_unit_id == "LOGISTICS":
            raise ValueError("no glyph")
        write_pdf(statement, path)

    monkeypatch.setattr(module, "write_pdf", fail)
    failed_one, written = render_statements(statements, tmp_path)
    assert failed_one == FailedStatement("LOGISTICS", "ValueError: no glyph", is_refused=False)
    assert isinstance(failed_one, FailedStatement)
    assert isinstance(written, BillFiles)
    assert FailedStatementsError([failed_one], [written]).exit_code == 1


def test_several_processes_write_the_same_bytes(
    marts: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    figures = load_figures(marts, "2026-03")
    statements, _ = module.make_statements(figures, list(figures.units))
    for processes in (1, 2):
        assert len(list(render_statements(statements, tmp_path / str(processes), processes))) == 2
    for path in (tmp_path / "1").iterdir():
        assert path.read_bytes() == (tmp_path / "2" / path.name).read_bytes()


def test_a_failed_write_keeps_the_old_file_and_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bill.pdf"
    write_atomically(path, b"old")

    def fail(source: object, target: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("pipelines.billing.files.os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [item.name for item in tmp_path.iterdir()] == ["bill.pdf"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "R&D/Lab", "..", "Größe", "a b", "x" * 200])
def test_a_file_name_is_safe(name: str) -> None:
    safe = safe_name(name)
    assert safe
    assert len(safe) <= 70
    assert all(letter.isascii() and (letter.isalnum() or letter in "._-") for letter in safe)
    assert not safe.startswith(".")


def test_names_that_look_alike_do_not_meet() -> None:
    names = ["R&D/Lab", "R&D_Lab", "R_D_Lab", "R D Lab"]
    assert len({safe_name(name) for name in names}) == len(names)
    assert safe_name("BU-4711.a") == "BU-4711.a"


def test_names_that_differ_in_case_only_are_refused() -> None:
    with pytest.raises(UsageError, match="business units hr and HR"):
        module._refuse_shared_names(["hr", "it", "HR"])
