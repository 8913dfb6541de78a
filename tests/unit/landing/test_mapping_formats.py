"""Excel, Parquet and JSON deliveries: the same records as of a CSV, and what each must refuse."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from tests.unit.landing.company import Company
from tests.unit.landing.own_source import COLUMNS, DATA, land_own, ledger_mapping, read_fields

TEXTS = {**COLUMNS, "vendor_name": "vendor"}
XLSX = ledger_mapping(format="xlsx", columns=TEXTS)
JSONL = ledger_mapping(format="jsonl", columns=TEXTS)
JSON = ledger_mapping(format="json", columns=TEXTS)
PARQUET = ledger_mapping(format="parquet")
DAY = dt.date(2026, 1, 31)


def _workbook(change: Callable[[Any], object] | None = None, rows: Any = None) -> bytes:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = "Ledger"
    lines = [["L1", DAY, 0.1 + 0.2, "a"], [2, DAY, 1234567.89, 55]] if rows is None else rows
    for row in [["id", "date", "amount", "vendor"], *lines]:
        sheet.append(row)
    if change:
        change(workbook)
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def test_excel_gives_exact_texts(company: Company) -> None:
    """0.1 + 0.2 is 0.30000000000000004 in binary; Excel shows 0.3."""
    result = land_own(company, XLSX, _workbook(), "own/a.xlsx")
    assert read_fields(company, result, "line_id, posting_date, vendor_name") == [
        ("L1", "2026-01-31", "a"),
        ("2", "2026-01-31", "55"),
    ]
    amounts = company.read(result, "select amount_local from records order by _row_number")
    assert [str(row[0].normalize()) for row in amounts] == ["0.3", "1234567.89"]


def test_excel_dates_of_1904_are_the_same_days(company: Company) -> None:
    def use_other_calendar(workbook: Any) -> None:
        workbook.epoch = CALENDAR_MAC_1904

    result = land_own(company, XLSX, _workbook(use_other_calendar), "own/a.xlsx")
    assert read_fields(company, result, "posting_date") == [("2026-01-31",), ("2026-01-31",)]


def test_excel_texts_are_read_as_declared_beside_typed_values(company: Company) -> None:
    """A sheet often mixes both: typed values are exact, texts are of the declared form."""
    rows = [
        ["L1", "31.01.2026", "1.234,50", None],
        ["L2", DAY, 2.5, None],
        ["L3", DAY, "2.5", None],
    ]
    form = {"date_order": "dmy", "date_separator": ".", "decimal_mark": ",", "thousands_mark": "."}
    result = land_own(company, {**XLSX, **form}, _workbook(rows=rows), "own/a.xlsx")
    amounts = company.read(result, "select amount_local from records order by _row_number")
    assert [str(row[0].normalize()) for row in amounts] == ["1234.5", "2.5"]
    assert "record 3, field amount_local" in result.reasons[0]


def test_excel_number_where_a_date_should_be_is_quarantined(company: Company) -> None:
    rows = [["L1", 46053, 1, None], ["L2", DAY, 1, None]]
    result = land_own(company, XLSX, _workbook(rows=rows), "own/a.xlsx")
    assert (result.records_accepted, result.records_quarantined) == (1, 1)


def _add_formula(workbook: Any) -> None:
    workbook.active["C2"] = "=1+1"


def _merge_header(workbook: Any) -> None:
    workbook.active.merge_cells("C1:D1")


def _merge_records(workbook: Any) -> None:
    workbook.active.merge_cells("A2:A3")


def _add_sheet(workbook: Any) -> None:
    workbook.create_sheet("Other").append(["x"])


def _hide(workbook: Any) -> None:
    workbook.create_sheet("Shown").append(["x"])
    workbook["Ledger"].sheet_state = "hidden"


def _add_cell(workbook: Any) -> None:
    workbook.active["F3"] = "far"


def _add_error(workbook: Any) -> None:
    workbook.active["C2"] = "#REF!"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (_add_formula, "has a formula without a stored result in C2"),
        (_merge_header, "has merged cells in its header"),
        (_merge_records, "has merged cells in its records"),
        (_add_sheet, "has 2 visible sheets"),
        (_hide, "found x"),
        (_add_cell, "record 2 has a cell too much"),
        (_add_error, "has an error in C2"),
    ],
)
def test_excel_that_cannot_be_read_for_sure_is_refused(
    company: Company, change: Callable[[Any], object], expected: str
) -> None:
    mapping = {**XLSX, "ragged_rows": "refuse"}
    result = land_own(company, mapping, _workbook(change), "own/a.xlsx")
    assert (result.state, expected in result.message) == ("refused", True), result.message


def test_excel_sheet_title_rows_footer_and_empty_rows_are_declared(company: Company) -> None:
    def frame(workbook: Any) -> None:
        sheet = workbook["Ledger"]
        sheet.insert_rows(1, 2)
        sheet["A1"] = "Ledger of January"
        sheet.merge_cells("A1:D1")
        sheet.append(["Total", None, 3, None])
        sheet["A9"].number_format = "0.00"
        workbook.create_sheet("Other").append(["x"])

    mapping = {**XLSX, "sheet": "Ledger", "header_row": 3, "footer_rows": 1}
    result = land_own(company, mapping, _workbook(frame), "own/a.xlsx")
    assert result.records_accepted == 2, result.message
    assert "footer of 1 rows passed over: 'Total 3'" in result.notes
    missing = land_own(company, {**mapping, "sheet": "No"}, _workbook(), "own/b.xlsx")
    assert "lacks its sheet; expected 'No'; found Ledger" in missing.message


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"id,date,amount\n", "does not begin as a ZIP or Excel file"),
        (_workbook()[:-40], "is damaged"),
        (b"", "is empty"),
    ],
)
def test_what_is_no_excel_file_is_refused(company: Company, content: bytes, expected: str) -> None:
    assert expected in land_own(company, XLSX, content, "own/a.xlsx").message


def test_archive_that_is_no_workbook_is_refused(company: Company) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.txt", "x")
    result = land_own(company, XLSX, buffer.getvalue(), "own/a.xlsx")
    assert "is not an Excel file" in result.message


def _parquet(tmp_path: Path, select: str) -> bytes:
    path = tmp_path / "made.parquet"
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'Asia/Tokyo'")
        connection.execute(f"copy ({select}) to '{path}' (format parquet)")
    return path.read_bytes()


def test_parquet_is_read_by_name_and_exactly(company: Company, tmp_path: Path) -> None:
    select = (
        "select 123456789012345.67::decimal(38, 12) as amount, "
        "date '2026-01-31' as date, 'L1' as id"
    )
    result = land_own(company, PARQUET, _parquet(tmp_path, select), "own/a.parquet")
    assert read_fields(company, result, "line_id, posting_date, period_id, amount_local") == [
        ("L1", "2026-01-31", "2026-01", "123456789012345.670000000000")
    ]


def test_parquet_times_with_a_zone_become_utc(company: Company, tmp_path: Path) -> None:
    """00:30 in Tokyo on 1 February is 15:30 UTC on 31 January: another period."""
    select = (
        "select 'L1' as id, timestamptz '2026-02-01 00:30:00+09' as date, 1::decimal(9,2) as amount"
    )
    mapping = {
        **PARQUET,
        "columns": {"line_id": "id", "amount_local": "amount"},
        "constants": {**PARQUET["constants"], "posting_date": "2026-01-31"},
        "period_from": {"column": "date", "type": "timestamp"},
    }
    result = land_own(company, mapping, _parquet(tmp_path, select), "own/a.parquet")
    assert read_fields(company, result, "period_id") == [("2026-01",)]


FLOATS = "select 'L1' as id, date '2026-01-31' as date, 0.1::double + 0.2::double as amount"


def test_parquet_amount_as_float_is_refused_unless_declared(
    company: Company, tmp_path: Path
) -> None:
    content = _parquet(tmp_path, FLOATS)
    result = land_own(company, PARQUET, content, "own/a.parquet")
    assert "holds the column amount as a binary float" in result.message
    result = land_own(
        company, {**PARQUET, "allow_float": {"amount_local": 4}}, content, "own/a.parquet"
    )
    assert read_fields(company, result, "amount_local") == [("0.300000000000",)]
    assert result.notes == ("column 'amount' is a binary float, rounded to 4 decimals",)


def test_parquet_float_that_is_no_number_is_quarantined(company: Company, tmp_path: Path) -> None:
    select = f"{FLOATS} union all select 'L2', date '2026-01-31', 'nan'::double"
    mapping = {**PARQUET, "allow_float": {"amount_local": 4}}
    result = land_own(company, mapping, _parquet(tmp_path, select), "own/a.parquet")
    assert (result.records_accepted, result.records_quarantined) == (1, 1)


def test_damaged_parquet_is_refused(company: Company, tmp_path: Path) -> None:
    content = _parquet(tmp_path, FLOATS)
    long_footer = content[:-8] + b"\xff\xff\xff\x7f" + content[-4:]
    noise = content[: len(content) // 2] + bytes(40) + content[len(content) // 2 + 40 :]
    for damaged in (content[:-4], content[: len(content) // 2], long_footer, noise, b"PAR1"):
        mapping = {**PARQUET, "allow_float": {"amount_local": 4}}
        result = land_own(company, mapping, damaged, "own/a.parquet")
        assert (result.state, "is damaged" in result.message) == ("refused", True), result


def test_parquet_lacking_a_column_is_refused(company: Company, tmp_path: Path) -> None:
    content = _parquet(tmp_path, "select 'L1' as id, date '2026-01-31' as date, 1 as amt")
    result = land_own(company, PARQUET, content, "own/a.parquet")
    assert "lacks amount (is 'amt' meant?)" in result.message


def _json_lines(*records: str) -> bytes:
    return "".join(f"{record}\n" for record in records).encode()


LINE = '{"id": "L1", "date": "2026-01-31", "amount": 0.1, "vendor": "a"}'


def test_json_numbers_keep_their_digits(company: Company) -> None:
    """No double is 900,719,925,474,099.33; 1.5e-7 is 0.00000015."""
    lines = [
        LINE.replace("0.1", "900719925474099.33"),
        LINE.replace("L1", "L2").replace("0.1", "1.5e-7"),
        '{"id": 3, "date": "2026-01-31", "amount": 12345678901234567.123456789012, "vendor": null}',
    ]
    result = land_own(company, JSONL, _json_lines(*lines), "own/a.jsonl")
    # Euros have two decimals: the other two are quarantined, digit by digit.
    assert read_fields(company, result, "amount_local") == [("900719925474099.330000000000",)]
    assert [record["amount_local"] for record in company.quarantined_texts(result)] == [
        "0.00000015",
        "12345678901234567.123456789012",
    ]


def test_json_number_beyond_all_fields_is_quarantined(company: Company) -> None:
    lines = _json_lines(LINE, LINE.replace("L1", "L2").replace("0.1", "1e400"))
    result = land_own(company, JSONL, lines, "own/a.jsonl")
    assert (result.records_accepted, result.records_quarantined) == (1, 1)
    assert "found '1e400'" in result.reasons[0]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"id": "L1", "id": "L2"}', "the key 'id' occurs twice"),
        (LINE.replace("0.1", "NaN"), "NaN is no number of JSON"),
        (LINE.replace("0.1", "-Infinity"), "no number of JSON"),
        ('["L1"]', "is no object; expected an object; found a list"),
        (LINE[:-5], "line 2 is not strict JSON"),
        (LINE.replace('"a"', '"\\u0000"'), "contains a NUL"),
        (LINE.replace('"a"', '"\\ud800"'), "half of a character"),
        ("[" * 100_000, "nested too deeply"),
        (LINE.replace("vendor", "seller"), "does not know: 'seller'"),
    ],
)
def test_json_that_is_not_strict_is_refused(company: Company, line: str, expected: str) -> None:
    result = land_own(company, JSONL, _json_lines(LINE, line), "own/a.jsonl")
    assert (result.state, expected in result.message) == ("refused", True), result.message


def test_json_list_inside_an_object_and_nested_values(company: Company) -> None:
    record = {"id": "L1", "date": "2026-01-31", "cost": {"amount": "5.00", "who": {"name": "a"}}}
    mapping = {
        **JSON,
        "records_at": "data.lines",
        "columns": {**COLUMNS, "amount_local": "cost.amount", "vendor_name": "cost.who.name"},
    }
    content = json.dumps({"data": {"lines": [record]}}).encode()
    result = land_own(company, mapping, content, "own/a.json")
    assert read_fields(company, result, "vendor_name, amount_local") == [("a", "5.000000000000")]
    wrong = land_own(company, {**mapping, "records_at": "data.no"}, content + b" ", "own/b.json")
    assert "holds no records; expected a list at 'data.no'" in wrong.message


def test_json_column_that_no_record_has_is_missing(company: Company) -> None:
    content = json.dumps([{"id": "L1", "date": "2026-01-31", "vendor": "a"}]).encode()
    assert "lacks amount" in land_own(company, JSON, content, "own/a.json").message


def test_real_cost_and_usage_report_is_read(company: Company) -> None:
    """A real AWS CUR, 119,307 lines of October 2018; its costs are floats, so rounding them must
    be declared."""
    path = DATA / "aws_cur_workshop_2018" / "Oct2018-WorkshopCUR-00001.snappy.parquet"
    if not path.exists():
        pytest.skip("the public AWS CUR is not beside this checkout")
    mapping = {
        "contract": "general_ledger",
        "format": "parquet",
        "columns": {
            "vendor_name": "line_item_product_code",
            "posting_date": "bill_billing_period_start_date",
            "amount_local": "line_item_unblended_cost",
        },
        "constants": {
            "legal_entity_id": "X",
            "account_id": "cloud",
            "cost_centre_id": "X",
            "currency_code": "USD",
        },
        "period_from": "posting_date",
        "row_key": True,
        "unknown_columns": "log",
    }
    assert "as a binary float" in land_own(company, mapping, path, "own/a.parquet").message
    result = land_own(company, {**mapping, "allow_float": {"amount_local": 2}}, path)
    assert (result.records_delivered, result.records_quarantined) == (119_307, 0), result.message
    assert company.read(result, "select distinct period_id from records") == [("2018-10",)]
    with duckdb.connect() as connection:
        row = connection.execute(
            "select sum(round(line_item_unblended_cost, 2)::decimal(18, 2)) "
            f"from read_parquet('{path}')"
        ).fetchone()
    assert row is not None
    total = company.read(result, "select sum(amount_local) from records")[0][0]
    assert abs(total - row[0]) < 1
