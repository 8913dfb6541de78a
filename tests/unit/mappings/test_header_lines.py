"""The header is found below titles, and names of groups in a line above it are part of it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from pipelines.landing.land import LoadResult
from pipelines.mappings.answers import Answers
from pipelines.mappings.infer import infer_mapping

from .test_system_layouts import land_proposal

ANSWERS = Answers(constants={"currency_code": "EUR", "period_id": "2026-01"})
TITLES = "Ledger of January 2026\nPrinted by,J. Doe\n\n"
GROUPED = """\
,,Actual,,Budget,
Account,Cost centre,Amount,Hours,Amount,Hours
6100,CC1,100.25,5,90.00,4
6200,CC2,-20.00,1,10.50,2
"""
"""Actual: 100.25 - 20.00 = 80.25. Budget: 90.00 + 10.50 = 100.50."""
MERGED = """\
Account,Cost centre,Actual,,Budget,
,,Amount,Hours,Amount,Hours
6100,CC1,100.25,5,90.00,4
6200,CC2,-20.00,1,10.50,2
"""
"""The same; names of single columns stand in the upper line, as merged cells are saved."""


def write(root: Path, text: str) -> Path:
    path = root / "ledger.csv"
    path.write_text(text, "utf-8")
    return path


def total(result: LoadResult) -> Decimal:
    assert (result.state, result.records_quarantined, result.message) == ("landed", 0, "")
    ((_, amounts),) = (result.amounts or {}).items()
    return Decimal(amounts["accepted"])


@pytest.mark.parametrize("table", [GROUPED, MERGED])
@pytest.mark.parametrize(("titles", "row"), [("", 1), (TITLES, 4), ("Report,,,,,\n", 2)])
def test_two_header_lines_are_proposed_and_read(
    tmp_path: Path, table: str, titles: str, row: int
) -> None:
    file = write(tmp_path, titles + table)
    found = infer_mapping(file, "budget", ANSWERS)
    assert found.head.columns == (
        "Account", "Cost centre", "Actual Amount", "Actual Hours", "Budget Amount", "Budget Hours",
    )  # fmt: skip
    assert found.settings.get("header_row", 1) == row
    assert found.settings["header_rows"] == 2
    assert found.settings["columns"]["amount_local"] == "Budget Amount"
    assert total(land_proposal(tmp_path, file, found)) == Decimal("100.50")


def test_another_group_may_be_named(tmp_path: Path) -> None:
    file = write(tmp_path, GROUPED)
    answers = Answers(ANSWERS.constants, columns={"amount_local": "Actual Amount"})
    result = land_proposal(tmp_path, file, infer_mapping(file, "budget", answers))
    assert total(result) == Decimal("80.25")


def test_merged_cells_of_a_workbook(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Ledger of January 2026"])
    sheet.append(["Account", "Cost centre", "Actual", None, "Budget", None])
    sheet.append([None, None, "Amount", "Hours", "Amount", "Hours"])
    sheet.append(["6100", "CC1", 100.25, 5, 90, 4])
    sheet.append(["6200", "CC2", -20, 1, 10.5, 2])
    for area in ("A2:A3", "B2:B3", "C2:D2", "E2:F2"):
        sheet.merge_cells(area)
    file = tmp_path / "ledger.xlsx"
    book.save(file)
    found = infer_mapping(file, "budget", ANSWERS)
    assert (found.settings["header_row"], found.settings["header_rows"]) == (2, 2)
    assert total(land_proposal(tmp_path, file, found)) == Decimal("100.50")


@pytest.mark.parametrize(
    "text",
    [
        # Parameters of a report, a narrow title, a header whose first name is missing.
        "From:,2026-01-01,,\nTo:,2026-01-31,,\n"
        "Account,Cost centre,Month,Amount\n6100,CC1,2026-01,5.25\n",
        "Report\nAccount,Cost centre,Month,Amount\n6100,CC1,2026-01,5.25\n",
        "Account,Cost centre,Month,Amount\n6100,CC1,2026-01,5.25\nTravel,CC1,2026-02,6.50\n",
    ],
)
def test_titles_and_records_are_no_line_of_groups(tmp_path: Path, text: str) -> None:
    head = infer_mapping(write(tmp_path, text), "budget").head
    assert head.columns == ("Account", "Cost centre", "Month", "Amount")
    assert head.header_rows == 1


def test_a_header_of_fewer_lines_than_declared_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path, GROUPED)
    found = infer_mapping(file, "budget", ANSWERS)
    file.write_text("Account,Cost centre\n", "utf-8")
    result = land_proposal(tmp_path, file, found)
    assert result.state == "refused"
    assert "a header of 2 lines" in result.message
