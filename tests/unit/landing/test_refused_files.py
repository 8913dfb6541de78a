"""A file that cannot be trusted is refused as a whole: lake and books hold nothing of it."""

from __future__ import annotations

import gzip
import zipfile
from io import BytesIO

import pytest

from tests.unit.landing.company import GOOD, HEADER, Company, ledger, record

LINES = GOOD.decode().splitlines()


def _zip() -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return file.getvalue()


def _latin1() -> bytes:
    # The byte of the a with diaeresis stands right after this prefix.
    return ledger(record("L1", description="K")).replace(b",K,", b",K\xe4ufer,")


LATIN1_AT = _latin1().index(b"\xe4")
SEMICOLON = GOOD.decode().replace(",", ";").encode()
SWAPPED_HEADER = GOOD.replace(b"period_id,posting_date", b"posting_date,period_id")

REFUSED: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "empty": (b"", ("is empty", "0 bytes")),
    "header only": (f"{HEADER}\n".encode(), ("a header and no records", "at least one record")),
    "html": (b"<!DOCTYPE html><html><body>Sign in</body></html>", ("not a CSV", "a web page")),
    "html, late": (b"\n\n  <HTML><head></head></HTML>", ("not a CSV file", "a web page or XML")),
    "json": (b'[{"line_id": "L1"}]', ("not a CSV file", "JSON")),
    "xlsx": (_zip(), ("not a CSV file", "a ZIP or Excel file")),
    "gzip": (gzip.compress(GOOD, mtime=0), ("not a CSV file", "a gzip file")),
    "gzip, cut": (gzip.compress(GOOD, mtime=0)[:20], ("not a CSV file", "a gzip file")),
    "gzip bomb": (gzip.compress(b"0" * 20_000_000), ("not a CSV file", "a gzip file")),
    "parquet": (b"PAR1\x15\x04", ("not a CSV file", "a Parquet file")),
    "NUL in a key": (GOOD.replace(b"CC100", b"CC\x00100", 1), ("NUL byte", "NUL at byte")),
    "UTF-16 with mark": (GOOD.decode().encode("utf-16"), ("not a CSV file", "UTF-16")),
    "UTF-16 LE without": (GOOD.decode().encode("utf-16-le"), ("not UTF-8", "UTF-16")),
    "UTF-16 BE without": (GOOD.decode().encode("utf-16-be"), ("not UTF-8", "UTF-16")),
    "latin-1": (_latin1(), ("is not UTF-8", f"the byte 0xE4 at byte {LATIN1_AT}")),
    "cut inside a character": (GOOD + b"L4\xe2\x82", ("ends inside a character", "at byte")),
    "lines mixed, CRLF first": (
        GOOD.replace(b"\n", b"\r\n", 2),
        ("mixes line ends", "2 CRLF and 2 LF"),
    ),
    "lines mixed, LF first": (GOOD[:-1] + b"\r\n", ("mixes line ends", "1 CRLF and 3 LF")),
    "unclosed quote": (
        ledger(record("L1", description='"memo'), record("L2")),
        ("line 2 has a quote that is not closed",),
    ),
    "backslash quote": (
        ledger(record("L1", description='"a \\"b\\" c"')),
        ("line 2 has a quote that is not closed or not doubled", 'doubled ("")'),
    ),
    "last line cut": (GOOD[:-40], ("line 4 has", "11 as in the header")),
    "doubled column": (
        GOOD.replace(b"document_id", b"vendor_name", 1),
        ("has the column 'vendor_name' twice", "each column once"),
    ),
    "doubled key": (
        ledger(record("L1"), record("L2"), record("L1", "7.00")),
        ("record 3", "holds the key (line_id) more than once", "(L1) in records 1, 3"),
    ),
    "doubled key, one in quarantine": (
        ledger(record("L1"), record("L1", "nothing")),
        ("holds the key (line_id) more than once", "(L1) in records 1, 2"),
    ),
    "semicolons": (SEMICOLON, ("separated by ';'", "columns separated by ','")),
    "semicolons, decimal comma": (SEMICOLON.replace(b".", b","), ("separated by ';'",)),
    "tabs": (GOOD.replace(b",", b"\t"), ("separated by tabs",)),
    "total line, short": (
        GOOD + b"TOTAL,,,,,,,,,,300.25\n",
        ("record 4", "looks like a total", "TOTAL, 300.25"),
    ),
    "total line without a word": (
        GOOD + b",,,,,,,,,EUR,300.25\n",
        ("record 4", "looks like a total", "EUR, 300.25"),
    ),
    "total line, complete": (
        GOOD + record("TOTAL", "300.25").encode() + b"\n",
        ("record 4", "looks like a total"),
    ),
    "comment first": (b"# exported\n" + GOOD, ("begins with a comment", "header in the first")),
    "renamed column": (
        GOOD.replace(b"amount_local", b"amount_locl", 1),
        ("lacks amount_local (is 'amount_locl' meant?)", "the columns amount_local"),
    ),
    "missing column": (
        "\n".join(line.rsplit(",", 1)[0] for line in LINES).encode() + b"\n",
        ("lacks amount_local", "found line_id, period_id", "'optional_columns' names what"),
    ),
    "column of unknown name": (
        "\n".join(
            f"{line},{more}" for line, more in zip(LINES, ("colour", "", "", ""), strict=True)
        ).encode(),
        ("columns that its mapping does not know: 'colour'", "only line_id"),
    ),
    "header swapped": (
        SWAPPED_HEADER,
        ("columns in another order", "column 2 is 'posting_date', not 'period_id'"),
    ),
    "values swapped": (
        ledger(
            record("L1", period_id="CC100", cost_centre_id="2026-01"),
            record("L2", period_id="CC200", cost_centre_id="2026-01"),
        ),
        ("columns period_id and cost_centre_id swapped", "a period such as 2026-03"),
    ),
    "without header": (ledger(record("L1")).split(b"\n", 1)[1], ("lacks line_id",)),
    "20,000 columns": (
        (",".join(f"c{number}" for number in range(20_000)) + "\n").encode(),
        ("has 20000 columns", "at most 1000"),
    ),
    "row of 3 MB": (
        ledger(record("L1", description="x" * 3_000_000), record("L2")),
        ("line 2 is too long", "at most 2,000,000 bytes"),
    ),
    "one line of 3 MB": (b"x" * 3_000_000, ("has no readable header",)),
}


@pytest.mark.parametrize("case", REFUSED)
def test_file_is_refused_with_reason_and_leaves_no_trace(company: Company, case: str) -> None:
    content, fragments = REFUSED[case]
    result = company.land_one(content, "ledger/delivery.csv")
    assert result.state == "refused"
    assert "delivery.csv" in result.message
    for fragment in fragments:
        assert fragment in result.message
    assert "Nothing was loaded" in result.message
    assert len(result.message) < 2000
    assert company.loads() == []
    assert company.audit_actions() == []
    assert company.lake_directories() == []
    assert company.staging_directories() == []


def test_refused_file_does_not_keep_others_from_landing(company: Company) -> None:
    company.put(b"", "ledger/a.csv")
    company.put(GOOD, "ledger/b.csv")
    company.put(GOOD, "replaced/c.csv")
    states = {result.file_name: result.state for result in company.land()}
    assert states == {"a.csv": "refused", "b.csv": "landed", "c.csv": "landed"}


def test_refused_file_lands_once_it_was_corrected(company: Company) -> None:
    assert company.land_one(GOOD.replace(b"amount_local", b"amount", 1)).state == "refused"
    assert company.land_one(GOOD).state == "landed"


def test_file_name_is_shown_with_its_traps_escaped(company: Company) -> None:
    result = company.land_one(b"", "ledger/a\nb\u202ecsv.exe")
    assert result.state == "refused"
    assert "\n" not in result.message
    assert "\\u202e" in result.message
