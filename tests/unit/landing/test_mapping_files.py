"""Packed, transcoded and framed deliveries, events and wide tables, by declared mapping."""

from __future__ import annotations

import gzip
import io
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest

from pipelines.contracts.contract import load_contract
from pipelines.readers import unpack
from tests.unit.landing.company import Company
from tests.unit.landing.own_source import (
    COLUMNS,
    DATA,
    land_own,
    ledger_mapping,
    read_fields,
    write_mapping,
)

TABLE = b"id,date,amount\nL1,2026-01-31,100.25\nL2,2026-01-31,-0.25\n"
"""Two lines, 100.25 - 0.25 = 100.00."""
TOTAL = {"EUR": {"accepted": "100", "quarantined": "0", "unreadable_records": "0"}}


def _zip(
    *members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED
) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("compression", "content"),
    [("gzip", gzip.compress(TABLE, mtime=0)), ("zip", _zip(("a.csv", TABLE)))],
)
def test_packed_delivery_is_read_and_kept_as_it_came(
    company: Company, compression: str, content: bytes
) -> None:
    result = land_own(company, ledger_mapping(compression=compression), content)
    assert result.amounts == TOTAL
    directory = company.directory(result)
    assert (directory / "original").read_bytes() == content
    assert sorted(path.name for path in directory.iterdir()) == [
        "original",
        "records.parquet",
        "records.sql",
    ]


def _link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("a.csv")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("compression", "content", "expected"),
    [
        ("gzip", gzip.compress(TABLE, mtime=0)[:-9], "is cut off"),
        ("gzip", gzip.compress(TABLE, mtime=0)[:-8] + bytes(8), "cannot be unpacked"),
        ("gzip", TABLE, "does not begin as a gzip file"),
        ("gzip", gzip.compress(b"id,\x00", mtime=0), "contains a NUL byte"),
        ("gzip", gzip.compress(_zip(("a.csv", TABLE)), mtime=0), "found a ZIP or Excel file"),
        ("zip", _zip(("a.csv", TABLE), ("b.csv", TABLE)), "found 2 members"),
        ("zip", _zip(("../a.csv", TABLE)), "a path out of it, '../a.csv'"),
        ("zip", _zip(("/a.csv", TABLE)), "a path out of it"),
        ("zip", _zip(("..\\a.csv", TABLE)), "a path out of it"),
        ("zip", _zip((_link(), b"/etc/hostname")), "a directory or link"),
        ("zip", _zip(("a.csv", TABLE))[:-30], "cannot be unpacked"),
        ("zip", _zip(("a.csv", TABLE), method=zipfile.ZIP_LZMA), "packed in an unusual way"),
        ("none", gzip.compress(TABLE, mtime=0), "found a gzip file"),
    ],
)
def test_badly_packed_delivery_is_refused(
    company: Company, compression: str, content: bytes, expected: str
) -> None:
    result = land_own(company, ledger_mapping(compression=compression), content)
    assert result.state == "refused"
    assert expected in result.message
    assert company.lake_directories() == []
    assert company.staging_directories() == []


@pytest.mark.parametrize("compression", ["gzip", "zip"])
def test_small_file_that_expands_far_is_refused(company: Company, compression: str) -> None:
    """32 MiB of one letter pack to some 32 KiB: a ratio of about 1,000."""
    bomb = b"x" * (32 << 20)
    content = gzip.compress(bomb) if compression == "gzip" else _zip(("a.csv", bomb))
    result = land_own(company, ledger_mapping(compression=compression), content)
    assert "expands too far; expected at most 200 times its size" in result.message


def test_expanded_size_has_a_limit(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "MAX_EXPANDED_BYTES", 20)
    result = land_own(company, ledger_mapping(compression="gzip"), gzip.compress(TABLE, mtime=0))
    assert "expands too far; expected at most 20 bytes" in result.message


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [("cp1252", b""), ("utf-16", b""), ("utf-16-le", b"\xff\xfe"), ("iso-8859-15", b"")],
)
def test_declared_encoding_is_read(company: Company, encoding: str, mark: bytes) -> None:
    text = "id,date,amount,vendor\nL1,2026-01-31,1,Bürö €\n"
    mapping = ledger_mapping(columns={**COLUMNS, "vendor_name": "vendor"}, encoding=encoding)
    result = land_own(company, mapping, mark + text.encode(encoding))
    assert read_fields(company, result, "vendor_name") == [("Bürö €",)]
    assert f"text read as {encoding}" in result.notes


def test_first_byte_that_the_encoding_lacks_is_named(company: Company) -> None:
    """cp1252 has no 0x81; 30 bytes come before it."""
    content = TABLE[:30] + b"\x81" + TABLE[30:]
    result = land_own(company, ledger_mapping(encoding="cp1252"), content)
    assert "is not cp1252" in result.message
    assert "the byte 0x81 at byte 30" in result.message


def test_other_encoding_than_declared_is_refused(company: Company) -> None:
    result = land_own(company, ledger_mapping(), "id,date,amount\nL\xfc1,".encode("cp1252"))
    assert "is not UTF-8" in result.message
    assert "0xFC at byte 16" in result.message


def test_delimiter_and_quote_are_declared(company: Company) -> None:
    content = b"id|date|amount|vendor\nL1|2026-01-31|1|'a|b''c'\n"
    mapping = ledger_mapping(columns={**COLUMNS, "vendor_name": "vendor"}, delimiter="|", quote="'")
    result = land_own(company, mapping, content)
    assert read_fields(company, result, "vendor_name") == [("a|b'c",)]


def test_no_quote_takes_quotes_as_they_are(company: Company) -> None:
    content = b'id\tdate\tamount\tvendor\nL1\t2026-01-31\t1\t7" disk\n'
    mapping = ledger_mapping(columns={**COLUMNS, "vendor_name": "vendor"}, delimiter="\t", quote="")
    result = land_own(company, mapping, content)
    assert read_fields(company, result, "vendor_name") == [('7" disk',)]


def test_other_delimiter_than_declared_is_refused(company: Company) -> None:
    result = land_own(company, ledger_mapping(delimiter=";"), TABLE)
    assert "is separated by ','; expected columns separated by ';'" in result.message


def test_title_and_footer_are_passed_over_and_logged(company: Company) -> None:
    content = b"Ledger of January\n\n" + TABLE + b"Total;;;\n"
    result = land_own(company, ledger_mapping(header_row=3, footer_rows=1), content)
    assert result.amounts == TOTAL
    assert result.notes == (
        "2 lines before the header passed over",
        "footer of 1 line passed over: 'Total;;;'",
    )


def test_footer_pattern_cuts_the_end_and_nothing_in_between(company: Company) -> None:
    content = b"id,date,amount\nTotal 1,2026-01-31,5\nL2,2026-01-31,6\nTotal 2 lines\n\n"
    mapping = ledger_mapping(footer_pattern="Total")
    result = land_own(company, mapping, content)
    assert result.records_delivered == 2
    assert result.notes == ("footer of 1 line passed over: 'Total 2 lines'",)


def test_missing_footer_is_a_file_cut_off(company: Company) -> None:
    result = land_own(company, ledger_mapping(footer_pattern="Total"), TABLE)
    assert "lacks its footer" in result.message


def test_header_beyond_the_end_is_refused(company: Company) -> None:
    result = land_own(company, ledger_mapping(header_row=9), TABLE)
    assert "is too short; expected the header in line 9; found 3 lines" in result.message


def test_blank_records_are_passed_over_only_where_declared(company: Company) -> None:
    content = TABLE.replace(b"\nL2", b"\n,,\nL2")
    result = land_own(company, ledger_mapping(skip_blank_rows=True), content)
    assert (result.amounts, result.notes) == (TOTAL, ("1 blank records passed over",))
    numbers = company.read(result, "select _row_number from records order by 1")
    assert numbers == [(1,), (3,)]
    refused = land_own(company, ledger_mapping(), content + b",,\n", "own/b.csv")
    assert "b.csv" in refused.message + " ".join(refused.reasons)


def test_alias_may_be_one_of_several_names(company: Company) -> None:
    mapping = ledger_mapping(columns={**COLUMNS, "amount_local": ["betrag", "amount"]})
    assert land_own(company, mapping, TABLE).amounts == TOTAL


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"id,date,sum", "lacks betrag or amount"),
        (b"id,date,amount,betrag", "several columns for the field amount_local: betrag, amount"),
        (b"id,date,amount,other", "columns that its mapping does not know: 'other'"),
        (b"id,date,amount,amount", "has the column 'amount' twice"),
    ],
)
def test_header_that_does_not_fit_the_aliases_is_refused(
    company: Company, header: bytes, expected: str
) -> None:
    mapping = ledger_mapping(columns={**COLUMNS, "amount_local": ["betrag", "amount"]})
    result = land_own(company, mapping, header + b"\nL1,2026-01-31,1,2\n")
    assert expected in result.message


def test_second_column_of_a_name_is_called_by_its_number(company: Company) -> None:
    content = b"id,date,amount,amount\nL1,2026-01-31,1,2\n"
    mapping = ledger_mapping(columns={**COLUMNS, "amount_local": "amount#2"}, unknown_columns="log")
    result = land_own(company, mapping, content)
    assert read_fields(company, result, "amount_local") == [("2.000000000000",)]
    assert result.notes == ("column 'amount' is not mapped; the original keeps it",)


EVENTS = {
    "last_state_of": {"key": ["line_id"], "order": [{"column": "version", "type": "integer"}]}
}


def test_last_state_of_each_key_counts(company: Company) -> None:
    """Version 10 comes after 9: versions are numbers, not texts."""
    content = (
        b"id,date,amount,version\nL1,2026-01-31,1,10\nL1,2026-01-31,5,9\nL2,2026-01-31,7,1\n"
        b"L2,2026-01-31,8,1\n"
    )
    result = land_own(company, ledger_mapping(**EVENTS), content)
    assert read_fields(company, result, "line_id, amount_local::int") == [("L1", "1"), ("L2", "8")]
    assert result.notes == ("2 earlier states of 4 passed over, 2 last states kept",)


def test_event_without_an_order_refuses_the_file(company: Company) -> None:
    content = b"id,date,amount,version\nL1,2026-01-31,1,x\nL1,2026-01-31,5,9\n"
    result = land_own(company, ledger_mapping(**EVENTS), content)
    assert "record 1, field version" in result.message
    assert "an event that cannot be put in order" in result.message


def _rates(**changes: Any) -> dict[str, Any]:
    return {
        "contract": "exchange_rates",
        "columns": {"to_currency_code": "currency", "exchange_rate": "rate"},
        "constants": {
            "rate_type": "closing",
            "from_currency_code": "EUR",
            "source_name": "European Central Bank",
        },
        "period_from": {"column": "Date", "type": "date"},
        "null_tokens": ["N/A"],
        "unpivot": {
            "id_columns": ["Date"],
            "name_column": "currency",
            "value_column": "rate",
            "skip_columns": [""],
        },
        "last_state_of": {
            "key": ["period_id", "to_currency_code"],
            "order": [{"column": "Date", "type": "date"}],
        },
        **changes,
    }


def test_wide_table_becomes_a_record_per_value(company: Company) -> None:
    content = b"Date,USD,JPY,\n2026-01-30,1.19,180,\n2026-01-29,1.18,N/A,\n2026-02-02,1.2,181,\n"
    result = land_own(company, _rates(), content)
    rows = read_fields(company, result, "period_id, to_currency_code")
    assert sorted(rows) == [
        ("2026-01", "JPY"),
        ("2026-01", "USD"),
        ("2026-02", "JPY"),
        ("2026-02", "USD"),
    ]
    usd = "select exchange_rate from records where to_currency_code = 'USD' order by 1"
    assert [str(row[0].normalize()) for row in company.read(result, usd)] == ["1.19", "1.2"]
    assert "1 columns of records hold no value" in result.notes


def test_wide_table_without_its_id_column_is_refused(company: Company) -> None:
    result = land_own(company, _rates(), b"Day,USD\n2026-01-30,1.19\n")
    assert "lacks Date" in result.message


def test_own_mapping_comes_before_the_ready_one(company: Company) -> None:
    from pipelines.mappings.mapping import list_mapping_ids, load_mapping

    directory = company.workspace.mappings
    path = write_mapping(company.workspace.root, ledger_mapping())
    text = path.read_text("utf-8").replace("mapping_id: own", "mapping_id: focus_1_0")
    (directory / "focus_1_0.yml").write_text(text, "utf-8")
    contract = load_contract("general_ledger")
    assert load_mapping("focus_1_0", contract, directory).contract == "general_ledger"
    assert set(list_mapping_ids(directory)) == {*list_mapping_ids(), "own"}


def test_own_mapping_with_a_mistake_names_file_and_line(company: Company) -> None:
    from pipelines.errors import ConfigurationError

    with pytest.raises(ConfigurationError, match=r"mappings/own\.yml:\d+.*decimal_mark"):
        land_own(company, ledger_mapping(decimal_mark="x"), TABLE)


def _public(name: str) -> Path:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"the public data set {name} is not beside this checkout")
    return path


def test_real_event_log_becomes_its_incidents(company: Company) -> None:
    """UCI data set 498: 141,712 events of 24,918 incidents; `category` is two columns."""
    path = _public("itsm_uci_servicenow/incident_event_log.csv.gz")
    contract = load_contract("tickets")
    constants = {"ticket_type": "incident", "effort_minutes": "0"}
    constants |= {"response_target_minutes": "60", "resolution_target_minutes": "480"}
    columns = {
        "ticket_id": "number",
        "service_id": "category#1",
        "priority": "priority",
        "opened_at": "opened_at",
        "resolved_at": "resolved_at",
        "cost_centre_id": "made_sla",
    }
    known = {field.name for field in contract.fields if field.is_required}
    given = {*columns, *constants}
    if not known <= given:
        pytest.skip(f"the contract asks for more: {sorted(known - given)}")
    mapping = {
        "contract": "tickets",
        "compression": "gzip",
        "columns": columns,
        "constants": constants,
        "null_tokens": ["?"],
        "unknown_columns": "log",
        "timestamp_formats": ["%d/%m/%Y %H:%M"],
        "last_state_of": {
            "key": ["ticket_id"],
            "order": [
                {"column": "sys_mod_count", "type": "integer"},
            ],
        },
    }
    result = land_own(company, mapping, path, "own/log.csv.gz")
    assert (result.records_delivered, result.state) == (24_918, "landed"), result.message
    assert "116,794 earlier states of 141,712 passed over, 24,918 last states kept" in result.notes
    where = "select count(*) from {} where {} = 'true'"
    met = company.read(result, where.format("records", "cost_centre_id"))[0][0]
    if result.records_quarantined:
        sql = where.format("quarantine", "json_extract_string(record, '$.cost_centre_id')")
        met += company.read(result, sql)[0][0]
    assert met == 15_803


def test_real_ledger_is_read_whole(company: Company) -> None:
    """GLA expenditure over 500 pounds: 28,145 lines, 1,209 of them negative."""
    path = _public("gla_ledger_2008_2013/all.csv")
    mapping = {
        "contract": "general_ledger",
        "columns": {
            "line_id": "ID",
            "vendor_name": "Vendor",
            "description": "AccountDescription",
            "posting_date": "Date",
            "amount_local": "Amount",
        },
        "constants": {
            "legal_entity_id": "GLA",
            "account_id": "unknown",
            "cost_centre_id": "unknown",
            "currency_code": "GBP",
        },
        "period_from": "posting_date",
        "unknown_columns": "log",
    }
    result = land_own(company, mapping, path)
    assert result.records_delivered == 28_145, result.message
    assert result.records_accepted + result.records_quarantined == 28_145
    negative = company.read(result, "select count(*) from records where amount_local < 0")
    if result.records_quarantined:
        negative += company.read(
            result,
            "select count(*) from quarantine where starts_with(record->>'amount_local', '-')",
        )
    assert sum(row[0] for row in negative) == 1_209


def test_real_rates_are_read_from_their_wide_table(company: Company) -> None:
    """ECB: 1.1684 dollars on 13 April 2026, the last day of that file."""
    result = land_own(company, _rates(), _public("ecb_fx/eurofxref-hist.csv"))
    assert (result.state, result.records_quarantined) == ("landed", 0), result.message
    rows = company.read(
        result,
        "select exchange_rate from records "
        "where period_id = '2026-04' and to_currency_code = 'USD'",
    )
    assert [str(row[0].normalize()) for row in rows] == ["1.1684"]
