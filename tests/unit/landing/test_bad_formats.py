"""Bad deliveries of the other formats: JSON, Excel, ZIP and Parquet. As with CSV, nothing breaks
the landing, nothing passes silently, and nothing is lost."""

from __future__ import annotations

import datetime as dt
import io
import stat
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.parquet
import pytest

from pipelines.landing.land import LoadResult
from tests.unit.landing.company import Company
from tests.unit.landing.own_source import COLUMNS, land_own, ledger_mapping, read_fields

DAY = dt.date(2026, 1, 31)
JSONL = ledger_mapping(format="jsonl")
XLSX = ledger_mapping(format="xlsx")
ZIP = ledger_mapping(compression="zip")
PARQUET = ledger_mapping(format="parquet")
CSV = b"id,date,amount\nL1,2026-01-31,1.25\n"


def _expect_refused(company: Company, result: LoadResult, *says: str) -> None:
    assert result.state == "refused", result
    for text in (*says, "expected", "Nothing was loaded"):
        assert text in result.message
    assert company.loads() == []
    assert company.staging_directories() == []


def _expect_quarantined(result: LoadResult, accepted: int, quarantined: int, says: str) -> None:
    assert result.state == "landed", result.message
    assert (result.records_accepted, result.records_quarantined) == (accepted, quarantined)
    assert says in result.reasons[0]


def _line(amount: str, line_id: str = "L1") -> bytes:
    return f'{{"id": "{line_id}", "date": "2026-01-31", "amount": {amount}}}\n'.encode()


@pytest.mark.parametrize(
    ("amount", "found"),
    [
        ("1e400", "'1e400'"),
        ("1e9999999999999999999", "'1e9999999999999999999'"),
        ("1e-9999999999999999999", "'1e-9999999999999999999'"),
        ("1" * 5000, "'1111"),
        ("true", "'true'"),
        ("null", "is missing"),
        ('""', "is missing"),
        ('"1,5"', "'1,5'"),
        ('{"value": 1}', '{"value":1}'),
        ("[1]", "'[1]'"),
        ("[" * 300 + "]" * 300, "'[[["),
    ],
)
def test_json_amount_of_another_kind_is_quarantined(
    company: Company, amount: str, found: str
) -> None:
    content = _line("2.50", "L2") + _line(amount)
    result = land_own(company, JSONL, content, "own/a.jsonl")
    _expect_quarantined(result, 1, 1, found)
    assert read_fields(company, result, "line_id, amount_local") == [("L2", "2.500000000000")]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (_line("[" * 700 + "]" * 700), "nested too deeply"),
        (_line("[" * 5000 + "]" * 5000), "nested too deeply"),
        (_line("1") + b"\n" + _line("1", "L2"), "line 2 is not strict JSON"),
        (_line("1") + _line("01", "L2"), "line 2 is not strict JSON"),
        (_line("1") + _line("+1", "L2"), "line 2 is not strict JSON"),
        (_line("1") + _line(".5", "L2"), "line 2 is not strict JSON"),
        (_line("1") + _line("0x10", "L2"), "line 2 is not strict JSON"),
        (_line("1") + _line("'1'", "L2"), "line 2 is not strict JSON"),
        (_line("1")[:-2] + b', "amount": 2}\n', "the key 'amount' occurs twice"),
        (_line("1").replace(b"{", b"{ // a comment\n"), "line 1 is not strict JSON"),
        (_line("1") + b'{"id": "L2", "date": "2026-01-31", "AMOUNT": 2}\n', "'AMOUNT'"),
        (b"\xff\xfe" + _line("1").decode().encode("utf-16-le"), "UTF-16"),
    ],
)
def test_json_that_may_mean_two_things_is_refused(
    company: Company, content: bytes, says: str
) -> None:
    _expect_refused(company, land_own(company, JSONL, content, "own/a.jsonl"), says)


def test_json_column_that_is_there_flat_and_nested_is_refused(company: Company) -> None:
    """`cost.amount` is 5 or 7; the last one must not win in silence."""
    mapping = ledger_mapping(format="jsonl", columns={**COLUMNS, "amount_local": "cost.amount"})
    line = b'{"id": "L1", "date": "2026-01-31", "cost": {"amount": 5}, "cost.amount": 7}\n'
    result = land_own(company, mapping, line, "own/a.jsonl")
    _expect_refused(company, result, "record 1 holds a column twice", "'cost.amount'")


def _workbook(change: Callable[[Any], object] | None = None) -> bytes:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = "Ledger"
    for row in (["id", "date", "amount"], ["L1", DAY, 1.25], ["L2", DAY, 2]):
        sheet.append(row)
    if change:
        change(sheet)
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def _patch(old: bytes, new: bytes) -> bytes:
    """The workbook with something in its sheet that Excel would not write."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(_workbook())) as source,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            content = source.read(name)
            if name == "xl/worksheets/sheet1.xml":
                assert old in content
                content = content.replace(old, new)
            target.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (_workbook(lambda sheet: sheet.__setitem__("C2", True)), "'true'"),
        (_workbook(lambda sheet: sheet.__setitem__("C2", DAY)), "'2026-01-31"),
        (_workbook(lambda sheet: sheet.__setitem__("C2", dt.time(1, 2))), "'01:02:00'"),
        (_workbook(lambda sheet: sheet.__setitem__("C2", "1.25 ")), "'1.25 '"),
        (_workbook(lambda sheet: sheet.__setitem__("C2", None)), "is missing"),
        (_workbook(lambda s: s.__setitem__("B2", dt.datetime(2026, 1, 31, 13))), "13:00:00'"),
        (_patch(b"<v>1.25</v>", b"<v>1e400</v>"), "'Infinity'"),
        (_patch(b"<v>1.25</v>", b"<v>12345678901234567890</v>"), "'12345678901234567890'"),
    ],
)
def test_excel_value_of_another_kind_is_quarantined(
    company: Company, content: bytes, says: str
) -> None:
    _expect_quarantined(land_own(company, XLSX, content, "own/a.xlsx"), 1, 1, says)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (_patch(b"<v>1.25</v>", b"<v>NaN</v>"), "is damaged"),
        (_patch(b"<v>1.25</v>", b"<v>" + b"9" * 5000 + b"</v>"), "is damaged"),
        (_patch(b"<v>1.25</v>", b"<v>1.25"), "is damaged"),
        (_patch(b"<v>1.25</v>", b"<v>&x;</v>"), "undefined entity"),
        (_workbook(lambda sheet: sheet.__setitem__("D1", "amount")), "'amount' twice"),
        (_workbook(lambda sheet: sheet.__setitem__("C2", "=B2*2")), "without a stored result"),
        (_workbook(lambda sheet: sheet.parent.create_chartsheet("Chart")), "is damaged"),
    ],
)
def test_excel_that_cannot_be_read_for_sure_is_refused(
    company: Company, content: bytes, says: str
) -> None:
    _expect_refused(company, land_own(company, XLSX, content, "own/a.xlsx"), says)


def test_hidden_sheet_is_named_and_hidden_rows_are_records(company: Company) -> None:
    def hide(sheet: Any) -> None:
        sheet.row_dimensions[2].hidden = True
        sheet.column_dimensions["C"].hidden = True
        sheet.parent.create_sheet("Old").append(["x"])
        sheet.parent["Old"].sheet_state = "veryHidden"

    result = land_own(company, XLSX, _workbook(hide), "own/a.xlsx")
    assert read_fields(company, result, "line_id") == [("L1",), ("L2",)]
    assert result.notes == ("hidden sheet 'Old' passed over",)


def test_empty_rows_between_records_are_quarantined(company: Company) -> None:
    content = _workbook(lambda sheet: sheet.append([]) or sheet.__setitem__("A6", "L6"))
    _expect_quarantined(land_own(company, XLSX, content, "own/a.xlsx"), 2, 3, "is missing")


def _zip(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def _link() -> zipfile.ZipInfo:
    link = zipfile.ZipInfo("a.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    return link


def _lie_about_size() -> bytes:
    """A bomb whose headers say that it is 100 bytes."""
    content = bytearray(_zip(("a.csv", b"0" * 20_000_000)))
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = content.index(mark) + offset
        content[at : at + 4] = (100).to_bytes(4, "little")
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (_zip(("../a.csv", CSV)), "a path out of it"),
        (_zip(("/etc/a.csv", CSV)), "a path out of it"),
        (_zip(("C:\\a.csv", CSV)), "a path out of it"),
        (_zip((_link(), b"/etc/passwd")), "a directory or link"),
        (_zip(("d/", b"")), "a directory or link"),
        (_zip(("d/", b""), ("d/a.csv", CSV)), "2 members"),
        (_zip(*((str(number), b"") for number in range(10_000))), "10,000 members"),
        (_zip(("a.csv", b"0" * 20_000_000)), "expands too far"),
        (_lie_about_size(), "cannot be unpacked"),
        (_zip(("a.csv", CSV))[:-10], "cannot be unpacked"),
        (_zip(("a.csv", b"")), "is empty"),
        (_zip(), "does not begin as a ZIP"),
        (_zip(("a.zip", _zip(("a.csv", CSV)))), "a ZIP or Excel file"),
    ],
)
def test_archive_that_is_not_one_file_is_refused(
    company: Company, content: bytes, says: str
) -> None:
    _expect_refused(company, land_own(company, ZIP, content, "own/a.zip"), says)


def test_name_inside_an_archive_is_never_a_path(company: Company) -> None:
    content = _zip((f"a\n\u202e{'x' * 300}.csv", CSV))
    assert land_own(company, ZIP, content, "own/a.zip").records_accepted == 1


def _parquet(tmp_path: Path, select: str) -> bytes:
    path = tmp_path / "made.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"copy ({select}) to '{path}' (format parquet)")
    return path.read_bytes()


GOOD = "select 'L' || n as id, date '2026-01-31' as date, 1.25::decimal(9, 2) as amount "
RECORDS = "from range(2) as numbers (n)"


@pytest.mark.parametrize(
    ("select", "says"),
    [
        (f"{GOOD.replace('1.25::decimal(9, 2)', '[1.25]')} {RECORDS}", "'[1.25]'"),
        (
            f"{GOOD.replace('1.25::decimal(9, 2)', '18446744073709551615::ubigint')} {RECORDS}",
            "too many digits before the point",
        ),
        (f"{GOOD.replace('1.25::decimal(9, 2)', 'true')} {RECORDS}", "'true'"),
        (f"{GOOD.replace('2026-01-31', 'infinity')} {RECORDS}", "'infinity'"),
        (f"{GOOD.replace('2026-01-31', '0044-03-15 (BC)')} {RECORDS}", "(BC)"),
        (f"{GOOD.replace('2026-01-31', '0001-01-01 (BC)')} {RECORDS}", "(BC)"),
        (f"{GOOD.replace('2026-01-31', '12026-01-31')} {RECORDS}", "'12026-01"),
        (
            f"{GOOD.replace('date ', 'timestamp ', 1)} {RECORDS}".replace("-31", "-31 01:00"),
            " 01:00",
        ),
        (GOOD.replace("'L' || n", "'L' || chr(0) || n") + RECORDS, "'L\\x000'"),
        (GOOD.replace("'L' || n", "'L ' || n") + RECORDS, "'L 0'"),
    ],
)
def test_parquet_value_of_another_kind_is_quarantined(
    company: Company, tmp_path: Path, select: str, says: str
) -> None:
    result = land_own(company, PARQUET, _parquet(tmp_path, select), "own/a.parquet")
    assert (result.state, result.records_quarantined) == ("landed", 2), result.message
    assert any(says in reason for reason in result.reasons), result.reasons


@pytest.mark.parametrize(
    ("select", "says"),
    [
        (f"{GOOD} {RECORDS} where n < 0", "a header and no records"),
        (f"{GOOD.replace('as id', 'as ID')} {RECORDS}", "lacks id"),
        (f"{GOOD}, 1 as x {RECORDS}", "does not know: 'x'"),
        (f"{GOOD.replace('decimal(9, 2)', 'double')} {RECORDS}", "as a binary float"),
    ],
)
def test_parquet_of_another_shape_is_refused(
    company: Company, tmp_path: Path, select: str, says: str
) -> None:
    result = land_own(company, PARQUET, _parquet(tmp_path, select), "own/a.parquet")
    _expect_refused(company, result, says)


@pytest.mark.parametrize("second", ["amount", "AMOUNT"])
def test_parquet_column_twice_is_refused(company: Company, second: str) -> None:
    buffer = io.BytesIO()
    table = pa.table(
        [["L1"], [DAY], [Decimal("1.25")], [Decimal("9.00")]],
        names=["id", "date", "amount", second],
    )
    pyarrow.parquet.write_table(table, buffer)
    result = land_own(company, PARQUET, buffer.getvalue(), "own/a.parquet")
    says = "twice" if second == "amount" else "does not know"
    _expect_refused(company, result, says, second)


def test_parquet_damaged_in_the_middle_breaks_nothing(company: Company, tmp_path: Path) -> None:
    """Zeros over a tenth of the pages: found when they are read, where the file lies or not."""
    select = GOOD.replace("'L' || n", "md5(n::varchar)") + "from range(20000) as numbers (n)"
    content = _parquet(tmp_path, select)
    tenth = len(content) // 10
    for start in range(1, 9):
        damaged = content[: start * tenth] + bytes(tenth) + content[(start + 1) * tenth :]
        result = land_own(company, PARQUET, damaged, "own/a.parquet")
        _expect_refused(company, result, "a.parquet")
