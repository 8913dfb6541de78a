"""Files of a period: their names, that they are whole, and that nothing is left behind."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import duckdb
import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from pipelines.billing import write_bills as module
from pipelines.billing.errors import UnbilledChargesError
from pipelines.billing.files import safe_name, write_atomically
from pipelines.billing.period_figures import load_figures
from pipelines.billing.records import Statement
from pipelines.billing.write_bills import choose_units, write_bill, write_bills
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
    assert Decimal(str(pairs["Total to be charged"])) == bill.total == Decimal("833.34")


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


def test_a_bill_can_be_written_by_a_spawned_process(retail: Statement, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:
        bill = pool.submit(write_bill, retail, tmp_path / "spawned").result(timeout=120)
    here = write_bill(retail, tmp_path / "here")
    assert bill.pdf.read_bytes() == here.pdf.read_bytes()
    assert bill.xlsx.read_bytes() == here.xlsx.read_bytes()


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
