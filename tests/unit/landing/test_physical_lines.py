"""A record is named by its number and, where that does not say it, by its line in the file."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from pipelines.landing.quarantine import list_records
from pipelines.landing.typed_records import QUARANTINE_NAME
from pipelines.mappings.file_head import read_head
from pipelines.readers import physical_lines
from pipelines.readers.physical_lines import PhysicalText, name_record
from pipelines.warehouse.lake_views import list_active_loads

from .company import Company
from .own_source import land_own, ledger_mapping

COLUMNS = {
    "line_id": "id",
    "posting_date": "date",
    "vendor_name": "vendor",
    "amount_local": "amount",
}
HEADER = "id,date,vendor,amount"
GOOD = "{id},2026-01-15,{vendor},10.00"
BAD = "{id},2026-01-15,Vendor,ten"


def _mapping(**settings: Any) -> dict[str, Any]:
    return ledger_mapping(columns=COLUMNS, **settings)


def _land(
    company: Company, tmp_path: Path, mapping: dict[str, Any], lines: list[str]
) -> tuple[str, ...]:
    path = tmp_path / "own.csv"
    path.write_text("\n".join(lines) + "\n", "utf-8", newline="")
    return tuple(land_own(company, mapping, path).reasons)


def test_a_vendor_over_three_lines_parts_record_and_line(company: Company, tmp_path: Path) -> None:
    """Header in line 1, record 1 in lines 2 to 4, record 2 in line 5."""
    lines = [HEADER, GOOD.format(id="a", vendor='"One\nof\nthree"'), BAD.format(id="b")]
    (reason,) = _land(company, tmp_path, _mapping(), lines)
    assert "a.csv, record 2 (line 5), field amount_local:" in reason
    (record,) = list_records(list_active_loads(company.workspace, company.books))
    assert (record.row_number, record.line_number) == (2, 5)


def test_titles_and_empty_lines_part_record_and_line(company: Company, tmp_path: Path) -> None:
    """Two titles, the header in line 3, record 1 in 4, an empty line 5, record 2 in 6."""
    lines = ["Ledger", "of January", HEADER, GOOD.format(id="a", vendor="V"), ""]
    (reason,) = _land(company, tmp_path, _mapping(header_row=3), [*lines, BAD.format(id="b")])
    assert "record 2 (line 6), field amount_local" in reason


def test_repeated_headers_keep_their_number(company: Company, tmp_path: Path) -> None:
    """The header again is record 3 in line 5, because record 1 takes two lines; the bad one is
    record 4 in line 6."""
    lines = [
        HEADER,
        GOOD.format(id="a", vendor='"two\nlines"'),
        GOOD.format(id="b", vendor="V"),
        HEADER,
        BAD.format(id="c"),
    ]
    (reason,) = _land(company, tmp_path, _mapping(skip_repeated_headers=True), lines)
    assert "record 4 (line 6), field amount_local" in reason


def test_a_record_per_line_needs_no_line(company: Company, tmp_path: Path) -> None:
    lines = [HEADER, GOOD.format(id="a", vendor="V"), BAD.format(id="b")]
    (reason,) = _land(company, tmp_path, _mapping(), lines)
    assert "record 2, field amount_local" in reason
    (record,) = list_records(list_active_loads(company.workspace, company.books))
    assert record.line_number == 3


def test_a_quarantine_from_before_has_no_lines(company: Company, tmp_path: Path) -> None:
    _land(
        company, tmp_path, _mapping(), [HEADER, GOOD.format(id="a", vendor="V"), BAD.format(id="b")]
    )
    (load,) = [item for item in list_active_loads(company.workspace, company.books)
               if item.records_quarantined]  # fmt: skip
    path = load.directory / QUARANTINE_NAME
    with duckdb.connect() as connection:
        connection.execute(f"create table old as select * exclude (_line_number) from '{path}'")
        path.unlink()
        connection.execute(f"copy old to '{path}' (format parquet)")
    (record,) = list_records([load])
    assert (record.row_number, record.line_number) == (2, None)


def test_a_refusal_names_the_line(company: Company, tmp_path: Path) -> None:
    """The second record of the key is in line 4, below a vendor over two lines."""
    lines = [
        HEADER,
        GOOD.format(id="a", vendor='"two\nlines"'),
        GOOD.format(id="a", vendor="V"),
    ]
    path = tmp_path / "own.csv"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    result = land_own(company, _mapping(), path)
    assert result.state == "refused"
    assert "record 2 (line 4): holds the key (line_id) more than once" in (result.message or "")


def test_the_head_of_a_file_knows_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text('Title of it\n\nid,name,amount\n1,"a\nb",2.00\n2,c,3.00\n', "utf-8")
    assert read_head(path).lines == (4, 6)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("chunk", [1, 7, 64, 1 << 22])
def test_lines_are_those_of_a_reader_that_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str, chunk: int
) -> None:
    """Against the lines that Python's csv module counts, in texts at random."""
    monkeypatch.setattr(physical_lines, "CHUNK_BYTES", chunk)
    drawn = random.Random(f"{end}{chunk}")
    cells = ["", "x", '"a"', f'"a{end}b"', f'"{end}{end}"', '"q""q"', f'"""{end}"']
    for number in range(20):
        rows = [
            "" if drawn.random() < 0.2 else f"{drawn.choice(cells[1:])},{drawn.choice(cells)}"
            for _ in range(drawn.randint(1, 12))
        ]
        text = end.join(["h,i", *rows]) + (end if drawn.random() < 0.5 else "")
        path = tmp_path / f"{number}.csv"
        path.write_bytes(text.encode())
        expected, begins = {}, 1
        reader = csv.reader(io.StringIO(text, newline=""))
        record = 0
        for row in reader:
            if row:
                expected[record] = begins
                record += 1
            begins = reader.line_num + 1
        del expected[0]
        counted = PhysicalText(path, '"', "\r" if end == "\r" else "\n")
        assert _find_lines(counted, list(expected)) == expected, text
        if expected:
            last = max(expected)
            assert _find_lines(counted, [last]) == {last: expected[last]}
        assert counted.find_line(len(expected) + 1) is None


def _find_lines(text: PhysicalText, records: list[int]) -> dict[int, int]:
    found = text.find_lines(np.array(records, dtype=np.int64))
    return dict(zip(records, map(int, found), strict=True))


def test_values_of_a_wide_record_have_its_line(tmp_path: Path) -> None:
    """Three values per record: the numbers 4 to 6 are those of record 2, in line 3."""
    path = tmp_path / "wide.csv"
    path.write_text("h,a,b,c\n1,2,3,4\n5,6,7,8\n", "utf-8")
    text = PhysicalText(path, '"', values_per_record=3)
    assert _find_lines(text, [3, 4, 6]) == {3: 2, 4: 3, 6: 3}


def test_a_line_is_named_where_it_says_something() -> None:
    assert (name_record(3, 4), name_record(3, 9), name_record(3, None)) == ("3", "3 (line 9)", "3")
