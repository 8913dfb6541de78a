"""Ready mappings without a public file: layouts as the systems export them, figures made up here.

Those of public files are in test_public_bills.py, _ledgers.py and _inventories.py.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from .public_data import land_files, read_records, sum_of

SAP_DE = """\
Buchungskreis;Sachkonto;Belegnummer;Buchungsdatum;Kostenstelle;Text;\
Betrag in Hauswährung;Hauswährung
1000;640000;190000123;31.01.2026;CC100;Wartung März;1.234,56;EUR
1000;640000;190000124;15.02.2026;CC200;Gutschrift;99,90-;EUR
;;;;;;;
"""
SAP_EN = """\
Company Code,G/L Account,Document Number,Posting Date,Cost Center,Text,\
Amount in Local Currency,Local Currency
1000,640000,190000123,31.01.2026,CC100,Support,"1,234.56",EUR
1000,640000,190000124,15.02.2026,CC200,Credit,99.90-,EUR
"""
ORACLE = """\
EFFECTIVE_DATE,SEGMENT1,SEGMENT2,SEGMENT3,JE_HEADER_ID,LINE_DESCRIPTION,CURRENCY_CODE,ACCOUNTED_AMOUNT
2026-01-31,01,CC100,640000,771,Support,EUR,1234.56
2026-02-15,01,CC200,640000,772,Credit,EUR,-99.90
"""
ORACLE_DR_CR = """\
Effective Date,Company,Cost Center,Account,Document Number,Line Description,Currency,\
Entered Dr,Entered Cr
2026-01-31,01,CC100,640000,771,Support,EUR,1234.56,
2026-02-15,01,CC200,640000,772,Credit,EUR,0.10,100.00
"""


@pytest.mark.parametrize(
    ("mapping", "text", "encoding"),
    [
        ("sap_ledger_de", SAP_DE, "cp1252"),
        ("sap_ledger_en", SAP_EN, "utf-8"),
        ("oracle_gl", ORACLE, "utf-8"),
        ("oracle_gl_dr_cr", ORACLE_DR_CR, "utf-8"),
    ],
)
def test_ledger_extracts(tmp_path: Path, mapping: str, text: str, encoding: str) -> None:
    (result,) = land_files(tmp_path, mapping, "general_ledger", ("gl.csv", text.encode(encoding)))
    assert (result.records_accepted, result.records_quarantined) == (2, 0)
    # 1,234.56 - 99.90 = 1,134.66; with debit and credit 1,234.56 + (0.10 - 100.00).
    assert sum_of(result, "EUR") == Decimal("1134.66")
    found = read_records(
        tmp_path, result, "select period_id, cost_centre_id, document_id from records order by 1"
    )
    assert [row[:2] for row in found] == [("2026-01", "CC100"), ("2026-02", "CC200")]
    assert all(row[2] for row in found)


def test_snipe_it_assets(tmp_path: Path) -> None:
    text = (
        "Asset Tag,Asset Name,Category,Company,Department,Purchase Date,Purchase Cost,Notes\n"
        'A-1,Laptop 1,Laptops,DE01,CC100,2025-03-01,"1,299.50",\n'
    )
    (result,) = land_files(tmp_path, "snipe_it_assets", "assets", ("assets.csv", text.encode()))
    assert sum_of(result, "USD") == Decimal("1299.50")


def test_jira_issues(tmp_path: Path) -> None:
    text = (
        "Issue key,Issue Type,Component/s,Priority,Created,Resolved,Labels,Labels\n"
        "HELP-1,[System] Incident,mail,High,2026-03-02 09:15,2026-03-02 11:00,a,b\n"
        "HELP-2,Service Request,mail,Lowest,2026-03-03 10:00,,,\n"
        "HELP-3,Epic,mail,Low,2026-03-03 10:00,,,\n"
    )
    mapping = "jira_service_management"
    (result,) = land_files(tmp_path, mapping, "tickets", ("issues.csv", text.encode()))
    found = read_records(
        tmp_path, result, "select ticket_id, ticket_type, priority from records order by 1"
    )
    assert found == [("HELP-1", "incident", 2), ("HELP-2", "request", 5)]
    assert result.records_quarantined == 1
    assert "Epic" in result.reasons[0]
