"""The bridge on a statement: its terms, its picture, and when there is none.

Retail's charges rose from 2,766.66 to 3,166.66 (conftest.py). Of the 400.00, volume is 466.66, all
of it of hosting but the 100.00 of mail; the end of printing takes 66.66 away.
"""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from io import BytesIO

import duckdb
from openpyxl import load_workbook
from pypdf import PdfReader

from pipelines.billing.bridge import explain_period
from pipelines.billing.pdf import render_pdf
from pipelines.billing.pdf_figures import build_bridge
from pipelines.billing.period_figures import load_figures
from pipelines.billing.records import Closing, Statement
from pipelines.billing.statement import make_statement
from pipelines.billing.xlsx import render_xlsx
from pipelines.rerun.bill_terms import Recovery
from pipelines.rerun.bridge_terms import TERMS
from pipelines.rerun.explain_units import UNIT_TERMS, ServiceBridge, UnitBridge
from pipelines.workspace.workspace import Workspace
from tests.unit.billing.conftest import add_item


def make_terms(**amounts: str) -> dict[str, Decimal]:
    return {term: Decimal(amounts.get(term, "0.00")) for term in UNIT_TERMS}


def make_service(name: str, before: str, after: str, **amounts: str) -> ServiceBridge:
    terms = make_terms(**amounts)
    return ServiceBridge(name.lower(), name, Decimal(before), Decimal(after), terms, terms)


RETAIL = UnitBridge(
    "RETAIL",
    Decimal("2766.66"),
    Decimal("3166.66"),
    make_terms(volume="466.66", organisation="-66.66"),
    (
        make_service("Hosting", "300.00", "666.66", volume="366.66"),
        make_service("Mail", "2400.00", "2500.00", volume="100.00"),
        make_service("Printing", "66.66", "0.00", organisation="-66.66"),
    ),
)


def explain_retail(marts: duckdb.DuckDBPyConnection, bridge: UnitBridge = RETAIL) -> Statement:
    figures = replace(load_figures(marts, "2026-03"), bridges={"RETAIL": bridge}, why_no_bridge="")
    return make_statement(figures, "RETAIL")


def read_text(statement: Statement) -> str:
    pages = PdfReader(BytesIO(render_pdf(statement))).pages
    text = " ".join(page.extract_text() for page in pages)
    return re.sub(r"\s+", " ", text.replace("\u200b", ""))


def test_terms_lead_from_the_total_before_to_the_total(marts: duckdb.DuckDBPyConnection) -> None:
    bridge = explain_retail(marts).bridge
    assert bridge is not None
    assert bridge.before + sum(term.amount for term in bridge.terms) == bridge.after
    assert [(term.term_id, term.amount, term.told) for term in bridge.terms] == [
        ("organisation", Decimal("-66.66"), "Printing \u221266.66"),
        ("volume", Decimal("466.66"), "Hosting +366.66, Mail +100.00"),
    ]


def test_items_of_either_period_are_a_term(marts: duckdb.DuckDBPyConnection) -> None:
    """A credit of 10.00 now and one of 4.00 in February: 6.00 less, 394.00 and not 400.00."""
    add_item(marts, "service_credit", "-10.00")
    add_item(marts, "service_credit", "-4.00")
    marts.execute("update fct_bill_items_monthly set period_id = '2026-02' where amount = -4.00")
    statement = explain_retail(marts)
    assert statement.bridge is not None
    assert (statement.bridge.before, statement.bridge.after) == (
        Decimal("2762.66"),
        Decimal("3156.66"),
    )
    (term,) = [term for term in statement.bridge.terms if term.term_id == "items"]
    assert term.amount == Decimal("-6.00")
    assert sum(term.amount for term in statement.bridge.terms) == Decimal("394.00")


def test_bars_follow_each_other(marts: duckdb.DuckDBPyConnection) -> None:
    """From 2,766.66 down to 2,700.00, the lowest, and up to 3,166.66, the highest: the first mark
    is at 66.66 of 466.66, which is 142 thousandths of the width."""
    data = build_bridge(explain_retail(marts))
    assert [(row["from"], row["to"], row["is_less"]) for row in data["rows"]] == [
        (0, 142, True),
        (0, 1000, False),
    ]
    assert (data["before_at"], data["after_at"]) == (142, 1000)


def test_the_bridge_is_printed_and_in_the_workbook(marts: duckdb.DuckDBPyConnection) -> None:
    statement = explain_retail(marts)
    text = read_text(statement)
    assert "Why it changed since Feb 2026" in text
    assert "Volume +466.66 Hosting +366.66, Mail +100.00" in text
    assert "change +400.00 (+14.5%)" in text
    sheet = load_workbook(BytesIO(render_xlsx(statement)), data_only=True)["Bridge"]
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[1][:2] == ("Feb 2026", 2766.66)
    assert rows[4][:2] == ("Mar 2026", 3166.66)
    assert ("Hosting", 300, 0, 366.66, 666.66) in rows
    assert ("All charges", 2766.66, -66.66, 466.66, 3166.66) in rows


def test_what_cancels_inside_a_service_is_not_told(marts: duckdb.DuckDBPyConnection) -> None:
    """Mail has 100.00 of volume and 400.00 that cancel a rate; hosting has 366.66 of volume."""
    mail = make_service("Mail", "2400.00", "2500.00", volume="500.00", rate="-400.00")
    mail = replace(mail, netted=make_terms(volume="100.00"))
    hosting, _, printing = RETAIL.services
    bridge = replace(
        RETAIL,
        terms=make_terms(volume="866.66", rate="-400.00", organisation="-66.66"),
        services=(hosting, mail, printing),
    )
    found = explain_retail(marts, bridge).bridge
    assert found is not None
    assert {term.term_id: term.told for term in found.terms} == {
        "organisation": "Printing \u221266.66",
        "volume": "Mail +500.00, Hosting +366.66",
        "rate": "",
    }


def test_the_recovery_stands_apart_from_the_terms(marts: duckdb.DuckDBPyConnection) -> None:
    """Mail is charged 2,400.00 and then 2,500.00 and costs 2,300.00 and then 2,350.00: 100.00
    recovered, 100.00 more charged, 50.00 more cost, 150.00 recovered."""
    costs = dict.fromkeys((*TERMS, "rounding"), Decimal("0.00")) | {"pool_cost": Decimal("50.00")}
    amounts = (Decimal("100.00"), Decimal("150.00"), Decimal("100.00"))
    statement = explain_retail(marts, replace(RETAIL, recovery=Recovery(*amounts, costs, {})))
    assert statement.bridge is not None
    assert [(term.name, term.amount) for term in statement.bridge.recovery] == [
        ("Recovery Feb 2026", Decimal("100.00")),
        ("Change of the charges", Decimal("100.00")),
        ("Cost: pool cost", Decimal("-50.00")),
        ("Recovery Mar 2026", Decimal("150.00")),
    ]
    text = read_text(statement)
    assert "Recovery Feb 2026 100.00 Change of the charges +100.00" in text
    assert "Cost: pool cost \u221250.00 Recovery Mar 2026 150.00" in text
    rows = list(
        load_workbook(BytesIO(render_xlsx(statement)), data_only=True)["Bridge"].iter_rows(
            values_only=True
        )
    )
    assert [row[:2] for row in rows if row[0] and "ecovery" in str(row[0])] == [
        ("Recovery: charged minus cost of services with a price", None),
        ("Recovery Feb 2026", 100),
        ("Recovery Mar 2026", 150),
    ]


def test_a_month_that_is_not_complete_is_not_explained(
    marts: duckdb.DuckDBPyConnection, workspace: Workspace
) -> None:
    """A source that came in February and not in March, which is open: nothing is a rise."""
    marts.execute("update dim_periods set period_state = 'open' where period_id = '2026-03'")
    marts.execute("insert into rpt_data_sources values ('timesheets', 'Timesheets', 0)")
    marts.execute(
        "insert into rpt_data_source_periods values ('timesheets', 'actual', '2026-02', 5, null)"
    )
    figures = explain_period(workspace, load_figures(marts, "2026-03"))
    statement = make_statement(figures, "RETAIL")
    assert statement.missing == "Mar 2026: no delivery of timesheets"
    assert statement.bridge is None
    text = read_text(statement)
    assert "It is compared with no other period: Mar 2026: no delivery of timesheets" in text
    assert "+400.00" not in text and "14.5%" not in text
    assert render_xlsx(statement)


def test_a_bridge_to_other_charges_is_not_shown(marts: duckdb.DuckDBPyConnection) -> None:
    statement = explain_retail(marts, replace(RETAIL, before=Decimal("2766.65")))
    assert statement.bridge is None
    text = read_text(statement)
    assert "Change since Feb 2026 +400.00 EUR in all. The change cannot be explained" in text
    assert render_xlsx(statement)


def test_what_cannot_be_run_again_is_said(
    marts: duckdb.DuckDBPyConnection, workspace: Workspace
) -> None:
    """The fake publication has no compiled SQL."""
    figures = explain_period(workspace, load_figures(marts, "2026-03"))
    assert "published without its compiled SQL" in figures.why_no_bridge
    statement = make_statement(figures, "RETAIL")
    assert statement.bridge is None
    assert "The change cannot be explained" in statement.why_no_bridge


def test_without_a_period_before_there_is_nothing_to_explain(
    marts: duckdb.DuckDBPyConnection, workspace: Workspace
) -> None:
    marts.execute("delete from fct_bill_items_monthly where period_id = '2026-02'")
    figures = explain_period(workspace, load_figures(marts, "2026-03"))
    assert figures.why_no_bridge == "There is no earlier period to explain it against."
    text = read_text(make_statement(figures, "RETAIL"))
    assert "There is no earlier period to compare with." in text


def test_the_seal_is_short_in_print_and_whole_in_the_workbook(retail: Statement) -> None:
    closing = Closing(3, "c0ffee" * 10 + "abcd", "2026-04-07T08:00:00Z", "Ada", 5, "beef" * 16)
    sealed = replace(retail, closing=closing)
    text = read_text(sealed)
    assert "number 3 on 2026-04-07, approved by Ada · manifest c0ffeec0ffeec0ff" in text
    assert "close number 5 · beefbeefbeefbeef" in text
    sheet = load_workbook(BytesIO(render_xlsx(sealed)))["Certificate"]
    pairs = {row[0]: row[1] for row in sheet.iter_rows(values_only=True)}
    assert (pairs["Close"], pairs["Manifest"]) == (3, "c0ffee" * 10 + "abcd")
    assert pairs["Head of the chain"] == "beef" * 16
    assert pairs["Certificate"] == retail.certificate_id


def test_an_open_period_says_that_it_is_not_final(retail: Statement) -> None:
    preview = replace(retail, period=replace(retail.period, state="open"))
    text = read_text(preview)
    assert "Preview, not final. Figures may still change; nothing is owed" in text
    assert "not closed: this is a preview" in text
    sheet = load_workbook(BytesIO(render_xlsx(preview)))["Statement"]
    pairs = {row[0]: row[1] for row in sheet.iter_rows(max_row=20, values_only=True)}
    assert pairs["Status"] == "PREVIEW, NOT FINAL"
    assert "Preview" not in read_text(retail)


def test_another_figure_is_another_certificate(marts: duckdb.DuckDBPyConnection) -> None:
    before = make_statement(load_figures(marts, "2026-03"), "RETAIL").certificate_id
    assert re.fullmatch(r"2026-03-v1-[0-9a-f]{10}", before)
    other = make_statement(load_figures(marts, "2026-03"), "LOGISTICS").certificate_id
    assert other == before
    marts.execute("update rpt_certificate set amount = 50.01 where term_id = 'scope'")
    assert make_statement(load_figures(marts, "2026-03"), "RETAIL").certificate_id != before
