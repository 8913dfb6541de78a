"""The workbook holds the same figures as numbers, and no text that could be run."""

from __future__ import annotations

from decimal import Decimal
from io import BytesIO
from typing import Any

import duckdb
import pytest
from openpyxl import load_workbook
from openpyxl.workbook import Workbook

from pipelines.billing.neutralise import neutralise
from pipelines.billing.records import Statement
from pipelines.billing.statement import load_statement
from pipelines.billing.xlsx import render_xlsx
from pipelines.billing.xlsx_cells import is_exact_in_excel
from tests.unit.billing.conftest import bill_charges


def read_workbook(statement: Statement, *, values: bool = True) -> Workbook:
    return load_workbook(BytesIO(render_xlsx(statement)), data_only=values)


def read_table(workbook: Workbook, sheet: str, title: str) -> list[dict[str, Any]]:
    """Rows below the header row that begins with `title`, down to the first empty cell."""
    rows = list(workbook[sheet].iter_rows(values_only=True))
    start = next(number for number, row in enumerate(rows) if row[0] == title)
    header = [str(cell) for cell in rows[start]]
    found = []
    for row in rows[start + 1 :]:
        if row[0] is None:
            break
        found.append(dict(zip(header, row, strict=True)))
    return found


def add_exactly(rows: list[dict[str, Any]], column: str) -> Decimal:
    return sum((Decimal(str(row[column])) for row in rows), Decimal(0))


def test_sheets(retail: Statement) -> None:
    assert read_workbook(retail).sheetnames == [
        "Statement",
        "Lines",
        "Other billed items",
        "Bridge",
        "Cost by pool",
        "Certificate",
    ]


def test_lines_sum_exactly_to_the_total(retail: Statement) -> None:
    *lines, total = read_table(read_workbook(retail), "Lines", "Cost centre")
    assert len(lines) == 5
    assert add_exactly(lines, "Charged (EUR)") == Decimal("3166.66")
    assert Decimal(str(total["Charged (EUR)"])) == Decimal("3166.66")
    assert add_exactly(lines, "Cost (EUR)") == Decimal("3266.66")


def test_totals_are_formulas_over_the_cells(retail: Statement) -> None:
    *_, total = read_table(read_workbook(retail, values=False), "Lines", "Cost centre")
    assert total["Charged (EUR)"] == "=ROUND(SUM(L2:L6),2)"


def test_services_and_pools_sum_exactly_to_the_total(retail: Statement) -> None:
    workbook = read_workbook(retail)
    *services, _ = read_table(workbook, "Statement", "Service")
    assert add_exactly(services, "Charged (EUR)") == Decimal("3166.66")
    assert add_exactly(services, "Feb 2026 (EUR)") == Decimal("2766.66")
    assert add_exactly(services, "Budget (EUR)") == Decimal("3300.00")
    *pools, total = read_table(workbook, "Cost by pool", "Cost pool")
    assert add_exactly(pools, "Amount (EUR)") == Decimal("3166.66")
    assert Decimal(str(total["Amount (EUR)"])) == Decimal("3166.66")


def test_the_statement_sheet_states_total_and_changes(retail: Statement) -> None:
    rows = read_workbook(retail)["Statement"].iter_rows(values_only=True)
    pairs = {row[0]: row[1] for row in rows}
    assert pairs["Total billed"] is None  # the last of them: the row below the services
    rows = read_workbook(retail)["Statement"].iter_rows(max_row=20, values_only=True)
    pairs = {row[0]: row[1] for row in rows}
    assert pairs["Total billed"] == 3166.66
    assert pairs["Change against Feb 2026"] == 400
    assert pairs["Change against Budget"] == -133.34
    assert pairs["Statement"] == "2026-03-RETAIL-v1"


def test_numbers_are_numbers_and_keep_their_precision(retail: Statement) -> None:
    *lines, _ = read_table(read_workbook(retail), "Lines", "Cost centre")
    hosting = next(row for row in lines if row["Service id"] == "hosting")
    assert Decimal(str(hosting["Rate (EUR)"])) == Decimal("333.3333333333")
    assert hosting["Quantity"] == 1
    assert read_workbook(retail)["Lines"]["L2"].number_format.startswith("#,##0.00")


def test_showback_is_marked_and_costs_nothing(retail: Statement) -> None:
    *lines, _ = read_table(read_workbook(retail), "Lines", "Cost centre")
    (wifi,) = [row for row in lines if row["Policy"] == "showback, not charged"]
    assert (wifi["Charged (EUR)"], wifi["Cost (EUR)"]) == (0, 100)


def test_certificate(retail: Statement) -> None:
    workbook = read_workbook(retail)
    terms = read_table(workbook, "Certificate", "Identity")
    assert len(terms) == 13
    assert {row["Amount (EUR)"] for row in terms if row["Side"] == "difference"} == {0}
    pairs = {row[0]: row[1] for row in workbook["Certificate"].iter_rows(values_only=True)}
    assert pairs["Fingerprint"] == "ab12" * 16
    assert pairs["All differences are zero"] == "yes"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "\uff1d"])
def test_text_that_begins_like_a_formula_is_neutralised(start: str) -> None:
    assert neutralise(f"{start}1") == f"'{start}1"


def test_plain_text_is_left_alone() -> None:
    assert neutralise("Stores = North") == "Stores = North"


def test_a_hostile_name_stays_text(marts: duckdb.DuckDBPyConnection) -> None:
    hostile = '=HYPERLINK("http://example.org","x")'
    marts.execute("update rpt_bill_lines set cost_centre_name = ?", [hostile])
    sheet = read_workbook(load_statement(marts, "2026-03", "RETAIL"), values=False)["Lines"]
    assert (sheet["B2"].value, sheet["B2"].data_type) == (f"'{hostile}", "s")
    assert sheet["B2"].hyperlink is None


def test_an_amount_too_long_for_excel_is_written_in_full(marts: duckdb.DuckDBPyConnection) -> None:
    """Excel keeps 15 digits; 12,345,678,901,234.56 has 16 and would lose its last cent."""
    large = "12345678901234.56"
    for table in ("rpt_bill_lines", "fct_charges_monthly"):
        marts.execute(
            f"update {table} set charged_amount = {large} where charged_amount = 1500.00 "
            "and scenario_id = 'actual'"
        )
    marts.execute("delete from fct_charge_breakdown_monthly")
    bill_charges(marts)
    *lines, total = read_table(
        read_workbook(load_statement(marts, "2026-03", "RETAIL")), "Lines", "Cost centre"
    )
    assert "12,345,678,901,234.56" in [row["Charged (EUR)"] for row in lines]
    assert total["Charged (EUR)"] == "12,345,678,902,901.22"  # + 1,000.00 + 2 x 333.33
    assert is_exact_in_excel(Decimal("1234567890123.45"))
    assert not is_exact_in_excel(Decimal(large))


def test_the_same_statement_gives_the_same_bytes(retail: Statement) -> None:
    assert render_xlsx(retail) == render_xlsx(retail)
