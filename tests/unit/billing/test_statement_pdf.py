"""The PDF says what the statement says, adds up, and takes nothing for markup."""

from __future__ import annotations

import re
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pypdf import PdfReader

from pipelines.billing.formats import breakable
from pipelines.billing.pdf import render_pdf, write_pdf
from pipelines.billing.pdf_data import build_pdf_data
from pipelines.billing.records import Statement
from pipelines.billing.statement import load_statement
from tests.unit.billing.conftest import charge_at_cost

MANY = 60


def read_pages(content: bytes) -> list[str]:
    """Text of each page, with plain spaces and without places to break."""
    pages = [page.extract_text() for page in PdfReader(BytesIO(content)).pages]
    return [re.sub(r"\s+", " ", page.replace("\u200b", "")) for page in pages]


def to_decimal(text: str) -> Decimal:
    """A printed amount, read as a reader does."""
    return Decimal(text.replace(",", "").replace("\u2212", "-"))


def printed_sum(rows: list[dict[str, Any]], key: str = "amount") -> Decimal:
    return sum((to_decimal(row[key]) for row in rows), Decimal(0))


@pytest.fixture
def long_retail(marts: duckdb.DuckDBPyConnection) -> Statement:
    """Sixty more cost centres with 0.01 to 0.60 of mail each: 18.30 on top of 3,166.66."""
    for number in range(1, MANY + 1):
        amount = Decimal(number) / 100
        name = f"Outlet {number:03}"
        for service in ("mail", "hosting"):
            charged = amount if service == "mail" else Decimal(0)
            marts.execute(
                "insert into rpt_bill_lines select * replace (? as cost_centre_id, "
                "? as cost_centre_name, ?::decimal(38,2) as charged_amount) from rpt_bill_lines "
                "where cost_centre_id = '4100' and service_id = ? and period_id = '2026-03'",
                [str(6000 + number), name, charged, service],
            )
            marts.execute(
                "insert into fct_charges_monthly select * replace (? as cost_centre_id, "
                "? as cost_centre_name, ?::decimal(38,2) as charged_amount) "
                "from fct_charges_monthly where cost_centre_id = '4100' and service_id = ? "
                "and period_id = '2026-03' and scenario_id = 'actual'",
                [str(6000 + number), name, charged, service],
            )
    marts.execute(
        "insert into fct_charge_breakdown_monthly values "
        "('actual', '2026-03', 1, 'mail', '6001', 'RETAIL', 'staff', 'Staff', 18.30)"
    )
    charge_at_cost(marts)
    return load_statement(marts, "2026-03", "RETAIL")


def test_the_page_says_who_owes_what(retail: Statement) -> None:
    text = " ".join(read_pages(render_pdf(retail)))
    for expected in (
        "IT cost statement",
        "2026-03-RETAIL-v1",
        "Group IT",
        "1 Mar 2026 to 31 Mar 2026",
        "Final",
        "Total billed EUR 3,166.66",
        "Feb 2026 2,766.66 +400.00 +14.5%",
        "Budget 3,300.00 \u2212133.34 \u22124.0%",
        "E-mail 200 mailbox 12.50 2,500.00 2,400.00 2,600.00",
        "Stores North 4100 1,833.33",
        "Server hosting estimated 1 server-month 333.3333 333.33",
        "E-mail 1,500.00 1,000.00 \u2013 \u2013 2,500.00",
        "Server hosting \u2013 \u2013 400.00 266.66 666.66",
        "Certificate 2026-03-v1-",
        "Close the books name no close of this version of the period",
    ):
        assert expected in text


def test_showback_is_printed_as_not_charged(retail: Statement) -> None:
    text = " ".join(read_pages(render_pdf(retail)))
    start = text.index("Showback: for information, not charged")
    assert "They are not part of the total." in text[start:]
    assert "Guest Wi-Fi 10 access point 10.00 100.00" in text[start:]
    assert "Guest Wi-Fi" not in text[:start]


def test_service_levels_and_certificate_are_printed(retail: Statement) -> None:
    text = " ".join(read_pages(render_pdf(retail)))
    assert "99.93% met" in text
    assert "87.5% missed" in text
    assert "General ledger 4,150.00 = Out of scope 50.00" in text
    assert text.count("Difference 0.00") == 3
    assert "ab12" * 16 in text
    assert "run-0007" in text


def test_every_table_of_the_page_adds_up(long_retail: Statement) -> None:
    """3,166.66 + (1 + ... + 60) / 100 = 3,166.66 + 18.30 = 3,184.96."""
    data = build_pdf_data(long_retail)
    total = Decimal("3184.96")
    assert to_decimal(data["totals"]["amount"]) == total
    assert printed_sum(data["services"]["rows"]) == total
    assert printed_sum(data["services"]["rows"], "previous") == Decimal("2766.66")
    assert printed_sum(data["services"]["rows"], "budget") == Decimal("3300.00")
    assert printed_sum(data["cost_centres"], "total") == total
    for group in data["cost_centres"]:
        assert printed_sum(group["rows"]) == to_decimal(group["total"])
    assert printed_sum(data["pools"]["rows"]) == total
    for row in data["matrix"]["rows"]:
        parts = [to_decimal(part) for part in row["parts"] if part != "\u2013"]
        assert sum(parts) == to_decimal(row["total"])
    assert [to_decimal(amount) for amount in data["matrix"]["sums"]] == [
        to_decimal(row["amount"]) for row in data["pools"]["rows"]
    ]
    assert printed_sum(data["legal_entities"]) == total


def test_many_lines_run_over_numbered_pages(long_retail: Statement) -> None:
    pages = read_pages(render_pdf(long_retail))
    assert len(pages) >= 4
    for number, page in enumerate(pages, start=1):
        assert f"Page {number} of {len(pages)}" in page
        assert "run-0007" in page
        assert "2026-03-RETAIL-v1" in page
    text = " ".join(pages)
    assert "Outlet 001 6001 0.01" in text
    assert "Outlet 060 6060 0.60" in text
    assert text.count("Server hosting estimated 1 server-month 333.3333 0.00") == MANY


def test_a_cost_centre_over_two_pages_shows_its_total_once(
    marts: duckdb.DuckDBPyConnection,
) -> None:
    """Eighty lines of 1.00 more for one cost centre: 1,833.33 + 80.00 = 1,913.33."""
    for number in range(80):
        for table in ("rpt_bill_lines", "fct_charges_monthly"):
            marts.execute(
                f"insert into {table} select * replace (? as service_id, ? as service_name, "
                f"1.00::decimal(38,2) as charged_amount) from {table} where service_id = 'mail' "
                "and cost_centre_id = '4100' and period_id = '2026-03' and scenario_id = 'actual'",
                [f"extra{number}", f"Extra {number}"],
            )
    marts.execute(
        "insert into fct_charge_breakdown_monthly select 'actual', '2026-03', 1, "
        "'extra' || extra, '4100', 'RETAIL', 'staff', 'Staff', 1 from range(80) as extras (extra)"
    )
    charge_at_cost(marts)
    text = " ".join(read_pages(render_pdf(load_statement(marts, "2026-03", "RETAIL"))))
    lines = text[text.index("Charges by cost centre") :]
    assert "Stores North 4100 1,913.33" in lines
    assert "Stores North 4100 continued" in lines
    assert lines.count("1,913.33") == 1


def test_a_single_cost_centre_is_not_listed_twice(marts: duckdb.DuckDBPyConnection) -> None:
    text = " ".join(read_pages(render_pdf(load_statement(marts, "2026-03", "LOGISTICS"))))
    assert "All of it on the cost centre Depot (5100)." in text
    assert "Charges by cost centre" not in text
    assert "E-mail 40 mailbox 12.50 500.00 600.00 0.00" in text


def test_a_service_says_if_it_is_partly_estimated(retail: Statement) -> None:
    marks = {row["name"]: row["mark"] for row in build_pdf_data(retail)["services"]["rows"]}
    assert marks == {"E-mail": "", "Server hosting": "partly estimated", "Printing": ""}


def test_a_credit_is_called_a_credit(marts: duckdb.DuckDBPyConnection) -> None:
    """Mail of 4100 becomes a credit: 3,166.66 - 1,500.00 - 3,000.00 = -1,333.34."""
    for table in ("rpt_bill_lines", "fct_charges_monthly"):
        marts.execute(
            f"update {table} set charged_amount = -3000.00 where charged_amount = 1500.00 "
            "and scenario_id = 'actual'"
        )
    charge_at_cost(marts)
    marts.execute(
        "update fct_charge_breakdown_monthly set amount = -5 * amount "
        "where service_id = 'mail' and cost_centre_id = '4100'"
    )
    marts.execute(
        "update fct_charge_breakdown_monthly set amount = amount + 4500 "
        "where service_id = 'mail' and cost_centre_id = '4100' and cost_pool_id = 'staff'"
    )
    text = " ".join(read_pages(render_pdf(load_statement(marts, "2026-03", "RETAIL"))))
    assert "Total billed (credit) EUR \u22121,333.34" in text
    assert "Group IT credits Retail EUR 1,333.34 for" in text
    assert "Total billed EUR" not in text


def test_figures_that_do_not_tie_are_said_in_words(marts: duckdb.DuckDBPyConnection) -> None:
    marts.execute(
        "update rpt_certificate set amount = 0.01, amount_cents = 0.01 "
        "where side = 'difference' and identity_id = 'ledger'"
    )
    text = " ".join(read_pages(render_pdf(load_statement(marts, "2026-03", "RETAIL"))))
    assert "The figures of this period do not tie." in text
    assert "Difference 0.01" in text
    assert "accounted for" not in text


def test_a_missing_certificate_proves_nothing(marts: duckdb.DuckDBPyConnection) -> None:
    marts.execute("delete from rpt_certificate")
    text = " ".join(read_pages(render_pdf(load_statement(marts, "2026-03", "RETAIL"))))
    assert "No certificate is published" in text
    assert "accounted for" not in text


def test_names_are_never_markup(marts: duckdb.DuckDBPyConnection) -> None:
    name = '#panic("x") *R&D* $1$ [a] <b> @c = "d" \\ /* e */'
    marts.execute("update rpt_bill_lines set cost_centre_name = ?", [name])
    text = " ".join(read_pages(render_pdf(load_statement(marts, "2026-03", "RETAIL"))))
    assert name in text


def test_a_long_word_can_break_and_keeps_its_letters() -> None:
    word = "billing_export-" + "x" * 40
    broken = breakable(f"a {word} b")
    assert broken.replace("\u200b", "") == f"a {word} b"
    assert max(len(piece) for piece in re.split(r"[\s\u200b]", broken)) <= 18
    assert breakable("Short words stay whole") == "Short words stay whole"


def test_the_same_statement_gives_the_same_bytes(retail: Statement, tmp_path: Path) -> None:
    path = tmp_path / "made" / "bill.pdf"
    write_pdf(retail, path)
    assert path.read_bytes() == render_pdf(retail)
    metadata = PdfReader(path).metadata
    assert metadata is not None
    assert metadata.title == "IT cost statement 2026-03-RETAIL-v1"
