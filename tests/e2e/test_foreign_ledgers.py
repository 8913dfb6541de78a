"""A ledger that no one here has seen lands by `infer`, one edit and `land`, with its total.

Five layouts, made up after what such systems export: an accountant's batch with a column for the
side, journal lines with debit and credit, a report with a title and a total, a French file of
entries, and amounts with exponents. The edit is the block of constants that a file cannot know.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from tests.e2e.command import run_apportion


@dataclass(frozen=True)
class Layout:
    """A foreign file, what a person must add, and what it comes to."""

    name: str
    text: str
    encoding: str
    constants: dict[str, str]
    records: int
    total: str
    currency: str


# 1,250.00 + 99.90 - 400.10 - 0.80 = 949.00
GERMAN_BATCH = """\
"EXTF";700;21;"Buchungsstapel";13;20260401;"Kanzlei"
Umsatz (ohne Soll/Haben-Kz);Soll/Haben-Kennzeichen;WKZ Umsatz;Konto;\
Gegenkonto (ohne BU-Schlüssel);Belegdatum;Belegfeld 1;Buchungstext;KOST1 - Kostenstelle
1.250,00;S;EUR;6815;70001;31.03.2026;RE-4711;Lizenzen für Büro;CC100
99,90;S;EUR;6805;70002;15.03.2026;RE-4712;Telefon;CC200
400,10;H;EUR;6815;70001;16.03.2026;GS-0001;Gutschrift;CC100
0,80;H;EUR;6805;70002;17.03.2026;GS-0002;Rundung;CC200
"""

# 12,000.00 + 350.25 - 500.00 - 0.25 = 11,850.00
JOURNAL_LINES = """\
Ledger|Je Line Num|Effective Date|Company|Cost Center|Natural Account|Line Description|Currency|\
Entered Dr|Entered Cr
US Primary|1|2026-03-31|US01|4100|640100|Cloud hosting March|USD|12000.00|
US Primary|2|2026-03-31|US01|4100|640200|Support|USD|350.25|
US Primary|3|2026-03-31|US01|4200|640100|Rebate|USD||500.00
US Primary|4|2026-03-31|US01|4200|640200|Correction|USD||0.25
"""

# 1,250.00 + 89.99 - 200.50 = 1,139.49
SMALL_BUSINESS = """\
Example Corp
Transaction Detail by Account
January - March 2026

Date,Transaction Type,Num,Name,Memo/Description,Account,Class,Amount
01/15/2026,Bill,1001,Acme Hosting,"Servers, January",6400 - Software,IT,"1,250.00"
02/28/2026,Expense,1002,Widget Phone,Phone,6410 - Telephone,IT,89.99
03/31/2026,Vendor Credit,1003,Acme Hosting,Refund,6400 - Software,OPS,(200.50)

TOTAL,,,,,,,"1,139.49"
"""

# 1,500.00 + 12,345.67 - 345.67 = 13,500.00; the thousands are parted by spaces that do not break.
FRENCH_ENTRIES = """\
JournalCode;EcritureNum;EcritureDate;CompteNum;CompteLib;Section analytique;PieceRef;EcritureLib;\
Débit;Crédit
ACH;1;31/03/2026;61350000;Location de matériel;CC100;F-001;Serveurs mars;1\u00a0500,00;0,00
ACH;2;15/03/2026;61560000;Maintenance;CC200;F-002;Contrat annuel;12\u00a0345,67;0,00
OD;3;16/03/2026;61560000;Maintenance;CC200;A-001;Avoir;0,00;345,67
"""

# 1.25E+2 - 2.5E+1 + 0.75 = 125.00 - 25.00 + 0.75 = 100.75
EXPONENTS = """\
Posting Date\tAccount\tCost Centre\tCompany\tCurrency\tText\tAmount
31/03/2026\t6400\tCC1\tUK01\tGBP\tHosting\t1.25E+2
30/03/2026\t6400\tCC1\tUK01\tGBP\tHosting\t-2.5E+1
29/03/2026\t6400\tCC2\tUK01\tGBP\tSupport\t0.75
"""

LAYOUTS = [
    Layout("batch.csv", GERMAN_BATCH, "cp1252", {"legal_entity_id": "DE01"}, 4, "949.00", "EUR"),
    Layout("journal.txt", JOURNAL_LINES, "utf-8", {}, 4, "11850.00", "USD"),
    Layout(
        "detail.csv",
        SMALL_BUSINESS,
        "utf-8-sig",
        {"legal_entity_id": "US01", "currency_code": "USD"},
        3,
        "1139.49",
        "USD",
    ),
    Layout(
        "fec.csv",
        FRENCH_ENTRIES,
        "cp1252",
        {"legal_entity_id": "FR01", "currency_code": "EUR"},
        3,
        "13500.00",
        "EUR",
    ),
    Layout("export.tsv", EXPONENTS, "utf-16", {}, 3, "100.75", "GBP"),
]


def edit_once(mapping: Path, constants: dict[str, str]) -> None:
    """Say the constants that a file cannot know, where `infer` left or proposed them."""
    text = mapping.read_text("utf-8")
    proposed = yaml.safe_load(text)["constants"]
    # Only what a person must say is empty; the rest is proposed.
    assert {name for name, value in proposed.items() if not value} <= set(constants)
    for name, value in constants.items():
        old = f'  {name}: "{proposed[name]}"'
        assert old in text
        text = text.replace(old, f"  {name}: {value}")
    mapping.write_text(text, "utf-8")


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_foreign_ledger_lands_by_infer_and_one_edit(tmp_path: Path, layout: Layout) -> None:
    workspace = tmp_path / "acme"
    run_apportion("init", workspace)
    file = workspace / "inbox" / "general_ledger" / layout.name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(layout.text.encode(layout.encoding))

    mapping = workspace / "mappings" / "erp.yml"
    run_apportion("infer", file, "--write", mapping)
    if layout.constants:
        edit_once(mapping, layout.constants)

    config = workspace / "apportion.yml"
    text = config.read_text("utf-8")
    ledger = "contract: general_ledger\n    inbox: general_ledger/*.csv"
    named = "contract: general_ledger\n    mapping: erp\n    inbox: general_ledger/*"
    assert ledger in text
    config.write_text(text.replace(ledger, named), "utf-8")
    (load,) = json.loads(run_apportion("land", "-w", workspace, "--json").stdout)
    assert (load["records_accepted"], load["records_quarantined"]) == (layout.records, 0)
    assert Decimal(load["amounts"][layout.currency]["accepted"]) == Decimal(layout.total)
