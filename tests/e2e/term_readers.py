"""How an amount is read where it is stated: from a page, a paper or the answer of a command.

Each reader gives amounts by key: empty for the total of the month, else a business unit, a service
or a line; or the text where a page scales the amount: '4.49 M EUR'. What a month has not (a price
in a month without prices) gives nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal

from app.formats import format_period
from app.navigation import (
    CLOSE,
    COST_PER_SERVICE,
    METHOD,
    MONTHLY_CHARGEBACK,
    PRICES,
    SERVICE_CATALOGUE,
    SERVICE_DETAIL,
    PageSpec,
)
from tests.app.conftest import clean
from tests.e2e.papers import Papers, Row, add, find_amount

Amounts = dict[str, Decimal]
Found = Mapping[str, Decimal | str]

ACTUAL = "scenario_id = 'actual' and period_id = $month"
LATEST = "2026-10"
"""The month of the summary that `run` prints, and that `whatif` is asked of."""
SERVICES = ("workplace-laptop", "mobile", "file-storage", "crm", "e-signature", "network")
"""One price, a market price, tiers, at cost, showback, shared."""
FEW_SERVICES = ("workplace-laptop", "crm")
"""Those of the months before there were prices."""

LEDGER, CHARGED, BILLED = "ledger", "charged", "billed"
IDENTITY_NAMES = {
    LEDGER: "The ledger is accounted for",
    CHARGED: "Charges equal cost and recovery",
    BILLED: "Bills equal charges",
}
NUMBER = r"([-\u2212]?[\d,]+\.\d\d)"
IS_LINE = ("charge", "showback")
SCALED = r"([\d,.]+ (?:[Mk] |bn )?EUR)"


def list_services(papers: Papers) -> tuple[str, ...]:
    """The services whose pages are opened one by one."""
    return SERVICES if papers.month == LATEST else FEW_SERVICES


def read_table(papers: Papers, column: str) -> Amounts:
    """A column of the table of bills on the page Monthly chargeback, by business unit."""
    frame = papers.open_page(MONTHLY_CHARGEBACK).dataframe[0].value
    return {
        papers.unit_ids[str(name)]: Decimal(str(amount))
        for name, amount in zip(frame["unit"], frame[column], strict=True)
        if amount is not None and str(amount) != "nan"
    }


def read_figure(papers: Papers, label: str, page: PageSpec = MONTHLY_CHARGEBACK) -> Found:
    """A figure of a page, scaled as it is shown; nothing where the page has none."""
    test = papers.open_page(page)
    found = [clean(item.value) for item in test.metric if clean(item.label).startswith(label)]
    return {"": found[0]} if found else {}


def read_bill_line(papers: Papers, word: str) -> Amounts:
    """'billed 1.00 EUR = charged 2.00 EUR + other billed items ...' above the lines."""
    return {"": find_amount(rf"\b{word} {NUMBER} EUR", papers.read_page(MONTHLY_CHARGEBACK))}


def read_app_term(papers: Papers, identity: str, term: str) -> Amounts:
    """A term of the certificate on the page Monthly chargeback."""
    test = papers.open_page(MONTHLY_CHARGEBACK)
    tables = [clean(part.value) for part in test.html if 'class="left"' in str(part.value)]
    table = tables[list(IDENTITY_NAMES).index(identity)]
    text = re.sub(r"<[^>]+>", " ", table)
    return {"": find_amount(rf"{re.escape(term)}\s+{NUMBER}", text)}


def read_pdfs(papers: Papers, pattern: str) -> Amounts:
    """The amount of a pattern in the PDF of each unit that has it."""
    return {
        unit: find_amount(pattern, statement.text)
        for unit, statement in papers.statements.items()
        if re.search(pattern, statement.text)
    }


def read_pdf_term(papers: Papers, term: str) -> Amounts:
    statement = papers.statements[papers.units[0]]
    return {"": find_amount(rf"{re.escape(term)} {NUMBER}", statement.text)}


def read_cells(papers: Papers, sheet: str, label: str, column: int) -> Amounts:
    return {
        unit: statement.find_cell(sheet, label, column)
        for unit, statement in papers.statements.items()
    }


def read_xlsx_term(papers: Papers, identity: str, term: str) -> Amounts:
    statement = papers.statements[papers.units[0]]
    return {"": statement.find_term(IDENTITY_NAMES[identity], term)}


def sum_csv(papers: Papers, column: str, keep: Callable[[Row], bool]) -> Amounts:
    """A column of the CSV statement, summed over the rows that are kept."""
    return {
        unit: add(row[column] for row in statement.rows if keep(row))
        for unit, statement in papers.statements.items()
    }


def name_line(row: Row) -> str:
    return f"line:{row['service_id']}:{row['cost_centre_id']}"


def read_csv_lines(papers: Papers, column: str) -> Amounts:
    return {
        name_line(row): Decimal(row[column])
        for statement in papers.statements.values()
        for row in statement.rows
        if row["item_kind"] in ("charge", "showback") and row[column]
    }


def read_xlsx_lines(papers: Papers, column: str) -> Amounts:
    found = {}
    for statement in papers.statements.values():
        for row in statement.read_sheet("Lines"):
            if row["Service id"] and row[column] is not None:
                key = f"line:{row['Service id']}:{row['Cost centre']}"
                found[key] = Decimal(str(row[column]))
    return found


def read_evidence(papers: Papers, choose: Callable[[Row], list[str]]) -> Amounts:
    """The chosen columns of the evidence's bills.csv, summed per unit and for all."""
    return {
        row["business_unit_id"]: add(row[column] for column in choose(row))
        for row in papers.evidence_bills
    }


def list_other_kinds(row: Row) -> list[str]:
    kept = {"business_unit_id", "business_unit", "charges", "billed"}
    return [column for column in row if column not in kept]


def read_evidence_summary(papers: Papers) -> Amounts:
    text = (papers.evidence / "bills.html").read_text("utf-8")
    return {"": find_amount(rf"are billed {NUMBER} EUR", text)}


def sum_journal(papers: Papers) -> Amounts:
    """What consumers are debited with in the journal's file."""
    rows = [row for row in papers.journal if row["account"] == "6980"]
    return {"": add(row["debit"] for row in rows) - add(row["credit"] for row in rows)}


def sum_focus(papers: Papers, column: str = "BilledCost") -> Amounts:
    found: Amounts = {}
    for row in papers.focus:
        for key in (row["BillingAccountId"], ""):
            found[key] = found.get(key, Decimal(0)) + Decimal(row[column])
    return found


def read_focus_rates(papers: Papers) -> Amounts:
    return {
        f"line:{row['ResourceId']}:{row['SubAccountId']}": Decimal(row["ContractedUnitPrice"])
        for row in papers.focus
        if row["x_BillItemKind"] == "charge"
        and row["ChargeFrequency"] == "Usage-Based"
        and Decimal(row["BilledCost"]) > 0
    }


def read_summary_units(papers: Papers, name: str) -> Amounts:
    """A table of `run` by business unit; it is of the latest month."""
    if papers.month != LATEST:
        return {}
    rows = papers.summary[name]
    found = {papers.unit_ids[unit]: Decimal(amount) for unit, amount in rows}
    return found | {"": add(found.values())}


def read_summary_control(papers: Papers, column: int) -> Amounts:
    (row,) = [item for item in papers.summary["controls"] if item[0] == papers.month]
    return {"": Decimal(row[column])}


def read_whatif(papers: Papers, name: str) -> Amounts:
    return {"": Decimal(papers.whatif[name]["before"])} if papers.month == LATEST else {}


def read_traces(papers: Papers, column: str) -> Amounts:
    """One line of each kind of service, by `trace`."""
    found = {}
    for service in list_services(papers):
        rows = papers.query(
            "select cost_centre_id from fct_charges_monthly "
            f"where {ACTUAL} and service_id = '{service}' and disposition = 'allocated' "
            "order by cost_amount desc, cost_centre_id limit 1"
        )
        if rows:
            centre = str(rows[0][0])
            answer = papers.run(
                "trace", papers.month, "--service", service, "--cost-centre", centre
            )
            found[f"line:{service}:{centre}"] = Decimal(answer[column])
    return found


def read_bill_lines(papers: Papers, column: str) -> Amounts:
    """The lines of the first unit on the page Monthly chargeback."""
    test = papers.open_page(MONTHLY_CHARGEBACK, business_unit=papers.units[0])
    frame = next(item.value for item in test.dataframe if "cost_centre" in item.value)
    centres = dict(papers.query("select cost_centre_name, cost_centre_id from dim_cost_centres"))
    found = {}
    for link, centre, amount in zip(
        frame["service"], frame["cost_centre"], frame[column], strict=True
    ):
        if amount is not None and str(amount) != "nan":
            service = re.search(r"service=([^&#]+)", link)
            assert service
            found[f"line:{service[1]}:{centres[centre]}"] = Decimal(str(amount))
    return found


def read_cost_table(papers: Papers, column: str, basis: str) -> Amounts:
    """A column of the table of services on the page Cost per service."""
    test = papers.open_page(COST_PER_SERVICE, basis=basis)
    frame = test.dataframe[0].value
    found = {}
    for link, amount in zip(frame["service"], frame[column], strict=True):
        service = re.search(r"service=([^&#]+)", link)
        if service and amount is not None and str(amount) != "nan":
            found[service[1]] = Decimal(str(amount))
    return found


def read_service_figures(papers: Papers, label: str, page: PageSpec = SERVICE_DETAIL) -> Found:
    """A figure of the page of each kind of service, as it is shown."""
    found: dict[str, str] = {}
    for service in list_services(papers):
        test = papers.open_page(page, service=service)
        values = [clean(item.value) for item in test.metric if clean(item.label).startswith(label)]
        found |= {service: values[0]} if values else {}
    return found


def read_service_table(papers: Papers, column: str) -> Amounts:
    """The consumers of each kind of service on its page, by line."""
    centres = dict(papers.query("select cost_centre_name, cost_centre_id from dim_cost_centres"))
    found = {}
    for service in list_services(papers):
        frames = papers.open_page(SERVICE_DETAIL, service=service).dataframe
        frame = frames[-1].value
        for centre, amount in zip(frame["cost_centre"], frame[column], strict=True):
            if centre in centres and amount is not None and str(amount) != "nan":
                found[f"line:{service}:{centres[centre]}"] = Decimal(str(amount))
    return found


def read_sheets(papers: Papers, pattern: str) -> Amounts:
    """The amount of a pattern on the method sheet of each service that has it."""
    return {
        service: find_amount(pattern, sheet["text"])
        for service, sheet in papers.sheets.items()
        if re.search(pattern, sheet["text"])
    }


def read_sheet_pages(papers: Papers, pattern: str) -> Amounts:
    """The same on the page Method sheet of the app, of each kind of service."""
    texts = {
        service: papers.read_page(METHOD, service=service) for service in list_services(papers)
    }
    return {
        service: find_amount(pattern, text)
        for service, text in texts.items()
        if re.search(pattern, text)
    }


def read_rates_of_sheets(papers: Papers, name: str) -> Found:
    """'71.50 EUR per seat' -> 71.50, of the answer of `methods`."""
    return {
        service: sheet[name].partition(" EUR")[0]
        for service, sheet in papers.sheets.items()
        if sheet[name]
    }


def read_cards(papers: Papers, pattern: str) -> Found:
    """The figure of a pattern on the card of each service of the catalogue."""
    (html,) = [
        clean(part.value)
        for part in papers.open_page(SERVICE_CATALOGUE).html
        if "<article" in part.value
    ]
    found = {}
    for card in html.split("<article")[1:]:
        name = re.search(r"<h3>(.*?)</h3>", card)
        text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", card))
        value = re.search(pattern, text)
        if name and value:
            found[papers.service_ids[name[1].replace("&amp;", "&")]] = value[1]
    return found


def read_card_costs(papers: Papers) -> Found:
    """The unit costs of the month; of a service that is used no more, a card shows an older one."""
    month = clean(format_period(papers.month))
    return read_cards(papers, rf"Unit cost ([\d,.]+) EUR per [^;]*?, {month}")


def read_price_table(papers: Papers, column: str) -> Found:
    """A column of the page Prices and recovery, by service."""
    tables = papers.open_page(PRICES).dataframe
    if not tables:
        return {}
    frame = tables[0].value
    return {
        papers.service_ids[name]: clean(value).partition(" EUR")[0]
        if isinstance(value, str)
        else Decimal(str(value))
        for name, value in zip(frame["service"], frame[column], strict=True)
        if clean(value) not in ("", "—")
    }


def read_focus_prices(papers: Papers) -> Amounts:
    """The unit price of services with one price for all units and no base fee."""
    single = {
        row[0]
        for row in papers.query(
            f"select service_id from fct_prices_monthly where {ACTUAL} and unit_price is not null "
            "group by all having count(*) = 1 and max(base_fee_amount) = 0"
        )
    }
    return {
        row["ResourceId"]: Decimal(row["ListUnitPrice"])
        for row in papers.focus
        if row["ResourceId"] in single and row["x_BillItemKind"] == "charge"
    }


def read_ledger_tie(papers: Papers, words: str) -> Amounts:
    """A part of the sentence that ties a page to the ledger."""
    text = papers.read_page(COST_PER_SERVICE)
    if not re.search(rf"{words} {NUMBER}", text):
        return {}
    return {"": find_amount(rf"{words} {NUMBER}", text)}


def read_title(papers: Papers, pattern: str, page: PageSpec) -> Found:
    title = clean(papers.open_page(page).title[0].value)
    found = re.search(pattern, title)
    assert found, title
    return {"": found[1]}


def read_summary_services(papers: Papers) -> Amounts:
    if papers.month != LATEST:
        return {}
    rows = papers.summary["by_service"]
    return {
        papers.service_ids[name]: Decimal(amount)
        for name, amount in rows
        if name in papers.service_ids
    }


def read_close(papers: Papers) -> Amounts:
    return {"": find_amount(rf"Billed: {NUMBER} EUR", papers.read_page(CLOSE))}


def read_bill_answer(papers: Papers) -> Amounts:
    return {bill["business_unit_id"]: Decimal(bill["total"]) for bill in papers.bills}


def read_journal_answer(papers: Papers) -> Amounts:
    return {"": papers.journal_total}


def read_evidence_term(papers: Papers, identity: str, term: str) -> Amounts:
    return {"": papers.find_evidence_term(identity, term)}


def sum_xlsx_charges(papers: Papers) -> Amounts:
    return {
        unit: add(
            row["Charged (EUR)"] for row in statement.read_sheet("Lines") if row["Service id"]
        )
        for unit, statement in papers.statements.items()
    }


def read_xlsx_others(papers: Papers) -> Amounts:
    """The total of the worksheet of other billed items, where there are any."""
    return {
        unit: statement.find_cell("Other billed items", "All other billed items", 10)
        for unit, statement in papers.statements.items()
        if any(map(is_other, statement.rows))
    }


def is_any(row: Row) -> bool:
    return bool(row)


def is_charge(row: Row) -> bool:
    return row["item_kind"] == "charge"


def is_showback(row: Row) -> bool:
    return row["item_kind"] == "showback"


def is_other(row: Row) -> bool:
    return row["item_kind"] not in IS_LINE


def list_billed(row: Row) -> list[str]:
    return ["billed"] if "billed" in row else []


def list_charges(row: Row) -> list[str]:
    return ["charges"] if "charges" in row else []
