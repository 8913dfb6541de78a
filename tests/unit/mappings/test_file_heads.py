"""What files of other formats, folders and encodings show of themselves."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import duckdb
import pytest

from pipelines.contracts.contract import list_contract_ids, load_contract
from pipelines.mappings.column_hints import HINTS, load_contract_hints, load_forms
from pipelines.mappings.file_head import HeadNotReadError, read_head
from pipelines.mappings.infer import infer_mapping
from pipelines.mappings.preview import preview_records
from pipelines.mappings.text_encoding import EncodingFinder

CSV = "Date,Account,Cost Centre,Company,Currency,Amount\n2026-01-31,6400,CC1,DE01,EUR,1.50\n"


def test_every_dictionary_names_fields_of_its_contract() -> None:
    paths = sorted((HINTS / "contracts").glob("*.yml"))
    assert len(paths) >= 15
    for path in paths:
        assert path.stem in list_contract_ids()
        hints = load_contract_hints(path.stem)
        fields = {item.name for item in load_contract(path.stem).fields}
        own = {*hints.constants, *hints.copies, *hints.values}
        assert hints.contract == path.stem
        assert own <= fields, path.stem
        if hints.same_as is None:
            assert {*hints.names, *hints.named, *hints.derived} <= fields, path.stem
    assert set(load_forms().sides) == {"debit", "credit"}


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Büromaterial für Müller, Größe\n", "cp1252"),
        ("Reparación del móvil, año, señal\n", "mac_roman"),
        ("Libellé d'écriture, pièce à régler\n", "mac_roman"),
        ("Büromaterial für Müller\n", "utf-8"),
        ("Umsatz, Konto\n", "utf-8"),
        ("EXP - GOODS\u00a0- RESEARCH\n", "cp1252"),
    ],
)
def test_encoding_is_found_by_letters(text: str, encoding: str) -> None:
    finder = EncodingFinder()
    finder.add(text.encode(encoding))
    assert finder.find().name == encoding


def test_encoding_is_that_of_the_whole_file(tmp_path: Path) -> None:
    """The only letter with an accent comes after more than a mebibyte of plain text."""
    path = tmp_path / "late.csv"
    row = "2026-01-31,6400,CC1,DE01,EUR,1.50\n"
    begin = CSV + row * (1_100_000 // len(row))
    path.write_bytes((begin + "2026-01-31,6400,CC1,Müller,EUR,1.50\n").encode("cp1252"))
    assert read_head(path).encoding == "cp1252"


def test_column_that_is_filled_late_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "late.csv"
    path.write_text("a,b\n" + "1,\n" * 2000 + "2,x\n", "utf-8")
    head = read_head(path)
    assert "x" in head.column("b")
    assert not head.is_whole


def test_parquet_json_and_excel_are_read(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "copy (select date '2026-01-31' as \"Posting Date\", '6400' as account, "
            "cast(1.5 as double) as amount, 'EUR' as currency) "
            f"to '{tmp_path / 'gl.parquet'}' (format parquet)"
        )
    proposal = infer_mapping(tmp_path / "gl.parquet", "general_ledger")
    assert proposal.settings["format"] == "parquet"
    assert proposal.settings["allow_float"] == {"amount_local": 12}
    assert "date_order" not in proposal.settings

    record = {"date": "2026-01-31", "account": {"code": "6400"}, "amount": "1.50"}
    for name, content, form, where in (
        ("list.json", json.dumps([record]), "json", None),
        ("inside.json", json.dumps({"next": None, "items": [record]}), "json", "items"),
        ("one.json", json.dumps(record, indent=2), "json", "."),
        ("lines.jsonl", f"{json.dumps(record)}\n{json.dumps(record)}\n", "jsonl", None),
    ):
        (tmp_path / name).write_text(content, "utf-8")
        head = read_head(tmp_path / name)
        assert (head.format, head.records_at) == (form, where), name
        assert head.columns == ("date", "account.code", "amount"), name


def test_sheet_with_a_title_is_read(tmp_path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["Ledger 2026"], [], ["Date", "Account", "Amount"], ["2026-01-31", "6400", 1.5]):
        sheet.append(row)
    book.save(tmp_path / "gl.xlsx")
    head = read_head(tmp_path / "gl.xlsx")
    assert (head.format, head.header_row, head.sheet) == ("xlsx", 3, None)
    assert head.records == (("2026-01-31", "6400", "1.5"),)
    assert head.natives == ("Amount",)


def test_zip_with_one_file_is_read_and_with_two_refused(tmp_path: Path) -> None:
    path = tmp_path / "gl.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("gl.csv", CSV)
    assert read_head(path).compression == "zip"
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("more.csv", CSV)
    with pytest.raises(HeadNotReadError, match="Unpack it into a folder"):
        read_head(path)


def test_folder_whose_files_change_is_one_mapping(tmp_path: Path) -> None:
    """In February the cost centre is called otherwise, and a supplier is new."""
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / "2026-01.csv").write_text(CSV, "utf-8")
    february = CSV.replace("Cost Centre", "Department").replace("Amount\n", "Amount,Supplier\n")
    (folder / "2026-02.csv").write_text(february.replace("1.50\n", "1.50,ACME\n"), "utf-8")
    (folder / "2026-03.csv").write_text(CSV.replace(",", ";"), "utf-8")
    (folder / ".hidden").write_text("x", "utf-8")
    proposal = infer_mapping(folder, "general_ledger")
    columns = proposal.settings["columns"]
    assert set(columns["cost_centre_id"]) == {"Cost Centre", "Department"}
    assert columns["vendor_name"] == "Supplier"
    assert "Supplier" in proposal.settings["optional_columns"]
    assert proposal.head.file_names == ("2026-01.csv", "2026-02.csv")
    assert any("2026-03.csv has delimiter ';'" in text for text in proposal.decisions)


def test_amount_is_found_by_what_its_sums_do(tmp_path: Path) -> None:
    """Neither name says that it is one: the balance grows by the first column."""
    rows = ((10, 10), (25, 35), (-5, 30), (70, 100))
    text = "when,konto,x,y\n" + "".join(f"2026-01-0{n},64{n},{a},{b}\n" for n, (a, b) in
                                        enumerate(rows, start=1))  # fmt: skip
    path = tmp_path / "gl.csv"
    path.write_text(text, "utf-8")
    proposal = infer_mapping(path, "general_ledger")
    (amount,) = [g for g in proposal.match.guesses if g.field == "amount_local"]
    assert amount.column == "x"
    assert "a running balance grows by it" in amount.reason


@pytest.mark.parametrize(
    ("end", "ends"),
    [("2026-01-31", ["billing_period_end"]), ("2026-02-01", None)],
)
def test_last_day_of_a_month_is_no_exclusive_end(
    tmp_path: Path, end: str, ends: list[str] | None
) -> None:
    path = tmp_path / "bill.csv"
    path.write_text(
        "provider,billingAccountId,billingPeriodStartDate,billingPeriodEndDate,date,chargeType,"
        "meterCategory,billingCurrency,costInBillingCurrency\n"
        f"Azure,a,2026-01-01,{end},2026-01-15,Usage,VM,EUR,1.50\n",
        "utf-8",
    )
    proposal = infer_mapping(path, "cloud_bill")
    assert proposal.settings.get("inclusive_ends") == ends
    (record,) = preview_records(proposal.head, proposal.match.contract, proposal.settings)
    # Either way the month ends where the next one begins.
    assert str(record.values["billing_period_end"]).startswith("2026-02-01")
    assert record.problems == ()


@pytest.mark.parametrize(
    ("header", "record", "says"),
    [
        ("id,date,amount", "1,2026-01-31,1.50,#N/A", "3 columns in line 2 and records of 4 fields"),
        ("id,date,memo,amount", "1,2026-01-31,1.50", "4 columns in line 2 and records of 3 fields"),
    ],
)
def test_a_header_of_another_width_is_said_to_be_that(
    tmp_path: Path, header: str, record: str, says: str
) -> None:
    path = tmp_path / "odd.csv"
    path.write_text(f"Export\n{header}\n{record}\n{record}\n", "utf-8")
    with pytest.raises(HeadNotReadError, match=says):
        read_head(path)
