"""What is billed besides charges, on the statement and in its three formats.

Retail is charged 3,166.66 (conftest.py). Besides, in `noted`:

| kind           |     amount | why                                      |
|----------------|-----------:|------------------------------------------|
| correction     |    -120.50 | a late invoice of February               |
| correction     |      20.25 | another one                              |
| adjustment     |     -15.00 | a dispute                                |
| service_credit |     -50.00 | an outage                                |
| mark_up        |       1.25 | between legal entities                   |
| tax            |       0.50 |                                          |
| true_up        |      -3.16 | of the year                              |

Together -166.66, so that Retail pays 3,000.00 exactly.
"""

from __future__ import annotations

import csv
import re
from decimal import Decimal
from io import BytesIO, StringIO

import duckdb
import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from pipelines.billing.csv_file import COLUMNS, render_csv, write_number
from pipelines.billing.errors import UncertifiedTotalError
from pipelines.billing.notes import write_summary
from pipelines.billing.pdf import render_pdf
from pipelines.billing.period_figures import load_figures
from pipelines.billing.records import Statement
from pipelines.billing.statement import load_statement
from pipelines.billing.write_bills import choose_units
from pipelines.billing.xlsx import render_xlsx
from tests.unit.billing.conftest import LOGISTICS, RETAIL, SOUTH, add_item

FEBRUARY = ("2026-02", 1)


@pytest.fixture
def noted(marts: duckdb.DuckDBPyConnection) -> Statement:
    """Retail's statement with an item of every kind: 3,000.00."""
    add_item(
        marts,
        "correction",
        "-120.50",
        origin=FEBRUARY,
        reference="LATE-1",
        reason="Credit note of Software Ltd, came late",
    )
    add_item(marts, "correction", "20.25", centre=SOUTH, origin=FEBRUARY, reference="LATE-2")
    add_item(marts, "adjustment", "-15.00", reference="D-7", reason="=Disputed by Retail")
    add_item(marts, "service_credit", "-50.00", reference="SLA-3", reason="Outage of 3 March")
    add_item(marts, "mark_up", "1.25")
    add_item(marts, "tax", "0.50")
    add_item(marts, "true_up", "-3.16", origin=("2025-12", 1))
    return load_statement(marts, "2026-03", "RETAIL")


def read_rows(statement: Statement) -> list[dict[str, str]]:
    text = render_csv(statement).decode("utf-8-sig")
    return list(csv.DictReader(StringIO(text, newline="")))


def read_text(statement: Statement) -> str:
    pages = PdfReader(BytesIO(render_pdf(statement))).pages
    text = " ".join(page.extract_text() for page in pages)
    return re.sub(r"\s+", " ", text.replace("\u200b", ""))


def test_the_total_is_the_sum_of_all_items(noted: Statement) -> None:
    assert noted.total == Decimal("3000.00")
    assert noted.charged == Decimal("3166.66")
    assert [(kind.kind, kind.count, kind.amount) for kind in noted.kinds] == [
        ("charge", 4, Decimal("3166.66")),
        ("correction", 2, Decimal("-100.25")),
        ("adjustment", 1, Decimal("-15.00")),
        ("service_credit", 1, Decimal("-50.00")),
        ("mark_up", 1, Decimal("1.25")),
        ("tax", 1, Decimal("0.50")),
        ("true_up", 1, Decimal("-3.16")),
    ]
    entities = {entity.legal_entity_id: entity.amount for entity in noted.legal_entities}
    assert entities == {"E1": Decimal("1666.67"), "E2": Decimal("1333.33")}
    assert noted.showback_total == Decimal("100.00")


def test_a_note_refers_to_period_and_statement_that_it_corrects(noted: Statement) -> None:
    first, second = [item for item in noted.items if item.kind == "correction"]
    assert (first.origin_period_id, first.origin_number) == ("2026-02", "2026-02-RETAIL-v1")
    assert (first.reference_id, first.cost_centre_id) == ("LATE-1", "4100")
    assert second.cost_centre_id == "4200"
    (adjustment,) = [item for item in noted.items if item.kind == "adjustment"]
    assert (adjustment.origin_period_id, adjustment.origin_number) == (None, None)


def test_a_note_names_the_unit_that_was_charged_then(marts: duckdb.DuckDBPyConnection) -> None:
    """In February 4200 was with Logistics; its note is Retail's, and is about Logistics' bill."""
    marts.execute(
        "update fct_charges_monthly set business_unit_id = 'LOGISTICS' "
        "where period_id = '2026-02' and cost_centre_id = '4200'"
    )
    add_item(marts, "correction", "-1.00", centre=SOUTH, origin=FEBRUARY)
    (item,) = load_statement(marts, "2026-03", "RETAIL").items
    assert item.origin_number == "2026-02-LOGISTICS-v1"


def test_pdf_workbook_csv_and_items_tie_to_the_cent(
    noted: Statement, marts: duckdb.DuckDBPyConnection
) -> None:
    (billed,) = marts.execute(
        "select sum(amount) from fct_bill_items_monthly where scenario_id = 'actual' "
        "and period_id = '2026-03' and business_unit_id = 'RETAIL'"
    ).fetchall()[0]
    assert billed == Decimal("3000.00")
    assert "Total billed EUR 3,000.00" in read_text(noted)
    rows = read_rows(noted)
    assert sum(Decimal(row["amount"]) for row in rows) == billed
    workbook = load_workbook(BytesIO(render_xlsx(noted)), data_only=True)
    pairs = [row[:2] for row in workbook["Statement"].iter_rows(max_row=20, values_only=True)]
    assert ("Total billed", 3000) in pairs
    lines = [row[11] for row in workbook["Lines"].iter_rows(min_row=2, values_only=True)]
    items = [
        row[10] for row in workbook["Other billed items"].iter_rows(min_row=2, values_only=True)
    ]
    cells = [*lines[:-1], *items[:-1]]
    assert sum(Decimal(str(cell)) for cell in cells) == billed
    assert (lines[-1], items[-1]) == (3166.66, -166.66)


def test_each_kind_has_a_section_with_reference_and_reason(noted: Statement) -> None:
    text = read_text(noted)
    for expected in (
        "Charges 4 3,166.66 Credit and debit notes 2 \u2212100.25 Adjustments 1 \u221215.00",
        "Software Ltd, came late",
        "LATE-1",
        "2026-02-RETAIL-v1",
        "Service credits",
        "Outage of 3 March \u221250.00",
        "Mark-up between legal entities",
        "True-up of the fiscal year",
        "All charges 3,166.66",
    ):
        assert expected in text


def test_the_summary_tells_what_is_billed_besides(noted: Statement) -> None:
    assert write_summary(noted).startswith(
        "For Mar 2026, Group IT bills Retail EUR 3,000.00 for 2 services used by 2 cost centres "
        "(charged 3,166.66) and for credit and debit notes (\u2212100.25), adjustments "
        "(\u221215.00), service credits (\u221250.00), mark-up between legal entities (+1.25), tax "
        "(+0.50) and true-up of the fiscal year (\u22123.16). This is EUR 233.34 (8.4%) more than "
        "in Feb 2026"
    )


def test_a_unit_with_notes_and_no_charges_gets_a_statement(
    marts: duckdb.DuckDBPyConnection,
) -> None:
    add_item(marts, "correction", "-7.25", unit=("CLOSED", "Closed shop"), origin=FEBRUARY)
    statement = load_statement(marts, "2026-03", "CLOSED")
    assert (statement.total, statement.lines) == (Decimal("-7.25"), ())
    assert statement.recipient.name == "Closed shop"
    text = read_text(statement)
    assert "Total billed (credit) EUR \u22127.25" in text
    assert "Group IT credits Closed shop EUR 7.25: no service used, but credit and debit" in text
    assert len(read_rows(statement)) == 1
    assert render_xlsx(statement)


def test_bills_that_are_not_what_is_certified_are_refused(
    marts: duckdb.DuckDBPyConnection,
) -> None:
    """The certificate of the fixture says 4,000.00; a note of -1.00 is not in it."""
    assert choose_units(marts, load_figures(marts, "2026-03"), None) == ["LOGISTICS", "RETAIL"]
    add_item(marts, "adjustment", "-1.00", unit=LOGISTICS)
    with pytest.raises(UncertifiedTotalError, match=r"expected 4,000\.00 .*got 3,999\.00, -1\.00"):
        choose_units(marts, load_figures(marts, "2026-03"), None)


def test_an_unknown_kind_is_shown_and_not_lost(marts: duckdb.DuckDBPyConnection) -> None:
    add_item(marts, "late_fee", "2.00", unit=RETAIL)
    kinds = load_statement(marts, "2026-03", "RETAIL").kinds
    assert [(kind.title, kind.amount) for kind in kinds] == [
        ("Charges", Decimal("3166.66")),
        ("Late fee", Decimal("2.00")),
    ]


def test_csv_has_every_line_and_item_with_exact_numbers(noted: Statement) -> None:
    content = render_csv(noted)
    assert content.startswith(b"\xef\xbb\xbfstatement,period_id,business_unit_id,")
    assert content.count(b"\r\n") == 1 + 5 + 7
    rows = read_rows(noted)
    assert tuple(rows[0]) == COLUMNS
    hosting = next(row for row in rows if row["service_id"] == "hosting")
    assert (hosting["unit_rate"], hosting["quantity"]) == ("333.3333333333", "1")
    kinds = [row["item_kind"] for row in rows]
    assert (kinds.count("charge"), kinds.count("showback"), kinds.count("correction")) == (4, 1, 2)
    (wifi,) = [row for row in rows if row["item_kind"] == "showback"]
    assert (wifi["amount"], wifi["cost_amount"]) == ("0.00", "100.00")


def test_csv_is_neutralised_and_negative_numbers_stay_numbers(
    marts: duckdb.DuckDBPyConnection,
) -> None:
    hostile = "=cmd|'/c calc'!A1"
    marts.execute("update rpt_bill_lines set cost_centre_name = ?", [hostile])
    for number, start in enumerate(("=", "+", "-", "@", "\t", "\r", "\n")):
        add_item(marts, "adjustment", f"-{number + 1}.00", reason=f"{start}1+1")
    statement = load_statement(marts, "2026-03", "RETAIL")
    rows = read_rows(statement)
    assert {row["cost_centre_name"] for row in rows[:5]} == {f"'{hostile}"}
    numbers = {"quantity", "unit_rate", "amount", "cost_amount"}
    for row in rows:
        for column, text in row.items():
            if column not in numbers:
                assert not text.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    reasons = {row["reason"]: row["amount"] for row in rows[5:]}
    assert reasons["'=1+1"] == "-1.00"
    assert reasons["'-1+1"] == "-3.00"
    assert reasons["'\n1+1"] == "-7.00"


@pytest.mark.parametrize(
    ("value", "kept", "text"),
    [
        ("1500.00", 2, "1500.00"),
        ("-0.01", 2, "-0.01"),
        ("0E-8", 2, "0.00"),
        ("12345678901234567890.12", 2, "12345678901234567890.12"),
        ("1.500000000000", 0, "1.5"),
        ("120.000000000000", 0, "120"),
        ("1E+2", 0, "100"),
        ("0.000000123456", 0, "0.000000123456"),
    ],
)
def test_a_number_has_every_digit(value: str, kept: int, text: str) -> None:
    assert write_number(Decimal(value), kept) == text


def test_the_rate_is_what_was_paid_where_a_price_is_not_the_cost(
    marts: duckdb.DuckDBPyConnection,
) -> None:
    """Mail cost 2,500.00 and is charged at 15.00 a mailbox, which the mart has as its rate: 120 and
    80 mailboxes, 1,800.00 and 1,200.00. Hosting stays 666.66. So 3,666.66 are charged and 500.00
    recovered above cost."""
    for table, charging in (("rpt_bill_lines", ", charging_policy = 'rate', unit_rate = 15"),
                            ("fct_charges_monthly", "")):  # fmt: skip
        for before, after in (("1500.00", "1800.00"), ("1000.00", "1200.00")):
            marts.execute(
                f"update {table} set charged_amount = {after}{charging} "
                f"where charged_amount = {before} and business_unit_id = 'RETAIL' "
                "and period_id = '2026-03' and scenario_id = 'actual'"
            )
    marts.execute(
        "update fct_bill_items_monthly as items set amount = charges.charged_amount "
        "from fct_charges_monthly as charges where charges.charge_id = items.origin_charge_id "
        "and charges.period_id = items.period_id and charges.scenario_id = items.scenario_id"
    )
    retail = load_statement(marts, "2026-03", "RETAIL")
    mail = retail.services[0]
    assert (mail.quantity, mail.unit_rate, mail.amount) == (
        Decimal(200),
        Decimal(15),
        Decimal("3000.00"),
    )
    assert (retail.total, retail.recovery) == (Decimal("3666.66"), Decimal("500.00"))
    assert sum(pool.amount for pool in retail.pools) == Decimal("3166.66")
    text = read_text(retail)
    assert "Cost of the charged services 3,166.66 Over-recovery against cost 500.00" in text
    assert "All charges 3,666.66" in text
