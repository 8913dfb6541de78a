"""Where each amount of the glossary is stated: term -> the rows of its one mart column, and every
page and paper that says it, with how it is read there (see term_readers.py)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app.formats import format_amount, round_half_up
from app.navigation import COST_PER_SERVICE, MONTHLY_CHARGEBACK, SERVICE_BENCHMARK
from tests.app.conftest import clean
from tests.e2e.papers import Papers, to_amount
from tests.e2e.term_readers import (
    ACTUAL,
    BILLED,
    CHARGED,
    LEDGER,
    NUMBER,
    SCALED,
    Amounts,
    Found,
    is_any,
    is_charge,
    is_other,
    is_showback,
    list_billed,
    list_charges,
    list_other_kinds,
    read_app_term,
    read_bill_answer,
    read_bill_line,
    read_bill_lines,
    read_card_costs,
    read_cards,
    read_cells,
    read_close,
    read_cost_table,
    read_csv_lines,
    read_evidence,
    read_evidence_summary,
    read_evidence_term,
    read_figure,
    read_focus_prices,
    read_focus_rates,
    read_journal_answer,
    read_ledger_tie,
    read_pdf_term,
    read_pdfs,
    read_price_table,
    read_rates_of_sheets,
    read_service_figures,
    read_service_table,
    read_sheet_pages,
    read_sheets,
    read_summary_control,
    read_summary_services,
    read_summary_units,
    read_table,
    read_title,
    read_traces,
    read_whatif,
    read_xlsx_lines,
    read_xlsx_others,
    read_xlsx_term,
    sum_csv,
    sum_focus,
    sum_journal,
    sum_xlsx_charges,
)


@dataclass(frozen=True)
class Stated:
    """A place that states a term."""

    term: str
    place: str
    read: Callable[[Papers], Found]


def state(term: str, place: str, reader: Callable[..., Found], *arguments: Any) -> Stated:
    """A place, and the reader of it with what it is asked for."""
    return Stated(term, place, lambda papers: reader(papers, *arguments))


def by_unit(sql: str) -> str:
    """Per business unit and in total, of rows with business_unit_id and amount."""
    return (
        f"with found as ({sql}) "
        "select business_unit_id, sum(amount) from found group by all "
        "union all select '', sum(amount) from found"
    )


def by_service(column: str, mart: str = "fct_service_costs_monthly") -> str:
    return f"select service_id, {column} from {mart} where {ACTUAL} and {column} is not null"


def of_certificate(identity: str, term: str) -> str:
    return (
        f"select '', amount_cents from rpt_certificate where {ACTUAL} "
        f"and identity_id = '{identity}' and term_id = '{term}'"
    )


ITEMS = f"select business_unit_id, amount, item_kind from fct_bill_items_monthly where {ACTUAL}"
BUDGETED = "scenario_id = 'budget' and period_id = $month"
LINE = "'line:' || service_id || ':' || cost_centre_id"

MARTS = {
    "Billed": by_unit(ITEMS),
    "Charged": by_unit(
        f"select business_unit_id, charged_amount as amount from fct_charges_monthly where {ACTUAL}"
    )
    + f" union all {by_service('charged_amount')}"
    + f" union all select {LINE}, charged_amount from fct_charges_monthly where {ACTUAL}",
    "Other billed items": by_unit(f"select * from ({ITEMS}) where item_kind <> 'charge'"),
    "Cost": by_unit(
        "select business_unit_id, cost_amount as amount from fct_charges_monthly "
        f"where {ACTUAL} and disposition = 'allocated'"
    )
    + f" union all select {LINE}, cost_amount from fct_charges_monthly where {ACTUAL}",
    "Showback": by_unit(
        "select business_unit_id, cost_amount as amount from rpt_bill_lines "
        f"where {ACTUAL} and charging_policy = 'showback'"
    ),
    "Delivered cost": by_service("delivered_amount"),
    "Direct cost": by_service("direct_amount"),
    "Full cost": by_service("full_amount"),
    "Unit cost": by_service("unit_cost"),
    "Price": "select service_id, unit_price from fct_prices_monthly "
    f"where {ACTUAL} and unit_price is not null and tier_number = 1",
    "Rate": f"select {LINE}, unit_rate from rpt_bill_lines where {ACTUAL} "
    "and unit_rate is not null",
    "Recovery": f"{by_service('recovery_amount', 'fct_recovery_monthly')} union all "
    f"select '', sum(recovery_amount) from fct_recovery_monthly where {ACTUAL}",
    "Delivered by the ledger": of_certificate(LEDGER, "delivered"),
    "Quarantined": of_certificate(LEDGER, "quarantined"),
    "IT cost": f"select '', sum(delivered_amount) from fct_service_costs_monthly where {ACTUAL} "
    "and service_id not in ('(recovery)', '(out_of_scope)', '(capitalised)')",
    "Budgeted cost": "select service_id, delivered_amount from fct_service_costs_monthly "
    f"where {BUDGETED} union all select '', sum(delivered_amount) "
    f"from fct_service_costs_monthly where {BUDGETED}",
    "Budgeted bill": by_unit(
        f"select business_unit_id, amount from fct_bill_items_monthly where {BUDGETED}"
    ),
}
"""The rows of the one mart column of each term."""

UNSEEN = {
    "Fixed fee": "no service of the sample company has one: tests/unit/method_sheets says it",
}
"""Terms with a column that nothing in the sample company states, and where they are tested."""


STATED = (
    # --- billed
    state(
        "Billed",
        "page Monthly chargeback, title",
        read_title,
        rf"billed {SCALED}",
        MONTHLY_CHARGEBACK,
    ),
    state("Billed", "page Monthly chargeback, figure", read_figure, "Billed "),
    state("Billed", "page Monthly chargeback, bills", read_table, "billed"),
    state("Billed", "page Monthly chargeback, sentence", read_bill_line, "billed"),
    state(
        "Billed",
        "page Monthly chargeback, certificate",
        read_app_term,
        BILLED,
        "Billed: sum of all statements",
    ),
    state("Billed", "page Close", read_close),
    state("Billed", "statement, PDF", read_pdfs, rf"Total billed EUR {NUMBER}"),
    state(
        "Billed",
        "statement, PDF, summary",
        read_pdfs,
        rf"bills .{{1,80}}? EUR {NUMBER} for \d+ service",
    ),
    state("Billed", "statement, workbook", read_cells, "Statement", "Total billed", 1),
    state("Billed", "statement, CSV", sum_csv, "amount", is_any),
    state("Billed", "bill --json", read_bill_answer),
    state("Billed", "evidence, bills.csv", read_evidence, list_billed),
    state("Billed", "evidence, bills.html", read_evidence_summary),
    state(
        "Billed",
        "evidence, certificate",
        read_evidence_term,
        BILLED,
        "Billed: sum of all statements",
    ),
    state("Billed", "journal, file", sum_journal),
    state("Billed", "journal --json", read_journal_answer),
    state("Billed", "FOCUS, BilledCost", sum_focus),
    state("Billed", "run", read_summary_units, "by_business_unit"),
    # --- charged
    state("Charged", "page Monthly chargeback, figure", read_figure, "Charged"),
    state("Charged", "page Monthly chargeback, bills", read_table, "charged"),
    state("Charged", "page Monthly chargeback, sentence", read_bill_line, "charged"),
    state("Charged", "page Monthly chargeback, lines", read_bill_lines, "charged"),
    state(
        "Charged",
        "page Monthly chargeback, certificate",
        read_app_term,
        CHARGED,
        "Charged to consumers",
    ),
    state("Charged", "page Service detail, figure", read_service_figures, "Charged"),
    state("Charged", "page Service detail, consumers", read_service_table, "charged"),
    state("Charged", "page Prices and recovery", read_price_table, "charged"),
    state("Charged", "page Method sheet", read_sheet_pages, rf"it charged {NUMBER} EUR"),
    state("Charged", "method sheet", read_sheets, rf"it charged {NUMBER} EUR"),
    state("Charged", "statement, PDF", read_pdfs, rf"All charges {NUMBER}"),
    state("Charged", "statement, PDF, summary", read_pdfs, rf"\(charged {NUMBER}\)"),
    state("Charged", "statement, workbook", sum_xlsx_charges),
    state("Charged", "statement, CSV", sum_csv, "amount", is_charge),
    state("Charged", "evidence, bills.csv", read_evidence, list_charges),
    state("Charged", "evidence, certificate", read_evidence_term, CHARGED, "Charged to consumers"),
    state("Charged", "trace --json", read_traces, "charged_amount"),
    state("Charged", "whatif --json", read_whatif, "charged"),
    # --- other billed items
    state(
        "Other billed items", "page Monthly chargeback, figure", read_figure, "Other billed items"
    ),
    state("Other billed items", "page Monthly chargeback, bills", read_table, "other"),
    state(
        "Other billed items",
        "page Monthly chargeback, sentence",
        read_bill_line,
        "other billed items",
    ),
    state("Other billed items", "statement, CSV", sum_csv, "amount", is_other),
    state("Other billed items", "statement, workbook", read_xlsx_others),
    state("Other billed items", "evidence, bills.csv", read_evidence, list_other_kinds),
    # --- cost
    state("Cost", "page Monthly chargeback, lines", read_bill_lines, "cost"),
    state("Cost", "page Service detail, consumers", read_service_table, "cost"),
    state("Cost", "statement, workbook", read_xlsx_lines, "Cost (EUR)"),
    state("Cost", "statement, CSV", read_csv_lines, "cost_amount"),
    state("Cost", "trace --json", read_traces, "cost_amount"),
    # --- showback
    state("Showback", "page Monthly chargeback, figure", read_figure, "Showback"),
    state("Showback", "page Monthly chargeback, bills", read_table, "showback"),
    state("Showback", "ledger tie", read_ledger_tie, "showback"),
    state(
        "Showback",
        "page Monthly chargeback, certificate",
        read_app_term,
        LEDGER,
        "Cost of showback services: shown, not charged",
    ),
    state("Showback", "statement, PDF", read_pdfs, rf"Showback: cost shown, not charged {NUMBER}"),
    state(
        "Showback",
        "statement, workbook",
        read_cells,
        "Statement",
        "Showback: cost shown, not charged",
        4,
    ),
    state("Showback", "statement, CSV", sum_csv, "cost_amount", is_showback),
    state(
        "Showback",
        "evidence, certificate",
        read_evidence_term,
        LEDGER,
        "Cost of showback services: shown, not charged",
    ),
    state("Showback", "run", read_summary_units, "shown_by_business_unit"),
    # --- cost of services
    state("Delivered cost", "page Cost per service", read_cost_table, "amount", "delivered"),
    state("Delivered cost", "page Service detail", read_service_figures, "Delivered cost"),
    state(
        "Delivered cost",
        "page Method sheet",
        read_sheet_pages,
        rf"it cost {NUMBER} EUR\. (?!No cost centre)",
    ),
    state("Delivered cost", "run", read_summary_services),
    state("Direct cost", "page Cost per service", read_cost_table, "amount", "direct"),
    state("Full cost", "method sheet", read_sheets, rf"it cost {NUMBER} EUR\. No cost centre"),
    state("Unit cost", "page Service catalogue", read_card_costs),
    state("Unit cost", "page Service detail", read_service_figures, "Unit cost"),
    state(
        "Unit cost", "page Service benchmark", read_service_figures, "Unit cost", SERVICE_BENCHMARK
    ),
    state("Unit cost", "page Prices and recovery", read_price_table, "unit_cost"),
    state("Unit cost", "methods --json", read_rates_of_sheets, "unit_cost"),
    # --- prices
    state("Price", "page Service catalogue", read_cards, r"Price ([\d,.]+) EUR"),
    state("Price", "page Service detail", read_service_figures, "Price"),
    state("Price", "page Prices and recovery", read_price_table, "price"),
    state("Price", "methods --json", read_rates_of_sheets, "price"),
    state("Price", "method sheet", read_sheets, r"charged by its (?:market )?price: ([\d,.]+) EUR"),
    state(
        "Price",
        "page Method sheet",
        read_sheet_pages,
        r"charged by its (?:market )?price: ([\d,.]+) EUR",
    ),
    state("Price", "FOCUS, ListUnitPrice", read_focus_prices),
    state("Rate", "page Monthly chargeback, lines", read_bill_lines, "rate"),
    state("Rate", "page Service detail, consumers", read_service_table, "rate"),
    state("Rate", "statement, workbook", read_xlsx_lines, "Rate (EUR)"),
    state("Rate", "statement, CSV", read_csv_lines, "unit_rate"),
    state("Rate", "FOCUS, ContractedUnitPrice", read_focus_rates),
    # --- recovery
    state("Recovery", "page Prices and recovery", read_price_table, "recovery"),
    state(
        "Recovery",
        "page Monthly chargeback, certificate",
        read_app_term,
        CHARGED,
        "Over-recovery (+) or under-recovery (-)",
    ),
    state(
        "Recovery",
        "statement, PDF, certificate",
        read_pdf_term,
        "Over-recovery (+) or under-recovery (-)",
    ),
    state(
        "Recovery",
        "statement, workbook, certificate",
        read_xlsx_term,
        CHARGED,
        "Over-recovery (+) or under-recovery (-)",
    ),
    state(
        "Recovery",
        "evidence, certificate",
        read_evidence_term,
        CHARGED,
        "Over-recovery (+) or under-recovery (-)",
    ),
    # --- the ledger
    state(
        "Delivered by the ledger",
        "page Monthly chargeback, certificate",
        read_app_term,
        LEDGER,
        "Delivered by the ledger",
    ),
    state(
        "Delivered by the ledger",
        "statement, PDF, certificate",
        read_pdf_term,
        "Delivered by the ledger",
    ),
    state(
        "Delivered by the ledger",
        "statement, workbook, certificate",
        read_xlsx_term,
        LEDGER,
        "Delivered by the ledger",
    ),
    state(
        "Delivered by the ledger",
        "evidence, certificate",
        read_evidence_term,
        LEDGER,
        "Delivered by the ledger",
    ),
    state("Delivered by the ledger", "run", read_summary_control, 1),
    state("Delivered by the ledger", "whatif --json", read_whatif, "delivered"),
    state(
        "Quarantined",
        "page Monthly chargeback, certificate",
        read_app_term,
        LEDGER,
        "Quarantined: not counted until it is decided",
    ),
    state(
        "Quarantined",
        "statement, PDF, certificate",
        read_pdf_term,
        "Quarantined: not counted until it is decided",
    ),
    state(
        "Quarantined",
        "evidence, certificate",
        read_evidence_term,
        LEDGER,
        "Quarantined: not counted until it is decided",
    ),
    state(
        "IT cost",
        "page Cost per service, title",
        read_title,
        rf"IT cost {SCALED}",
        COST_PER_SERVICE,
    ),
    state("IT cost", "page Cost per service, figure", read_figure, "IT cost", COST_PER_SERVICE),
    state("IT cost", "ledger tie", read_ledger_tie, r"\*\*IT cost"),
    # --- budget
    state("Budgeted cost", "page Cost per service", read_cost_table, "budget", "delivered"),
    state("Budgeted bill", "page Monthly chargeback, bills", read_table, "budget"),
    state("Budgeted bill", "statement, workbook", read_cells, "Statement", "Budget", 1),
    state("Budgeted bill", "statement, PDF", read_pdfs, rf"Budget {NUMBER} [+\u2212]"),
)


def read_marts(papers: Papers, term: str) -> Amounts:
    """The rows of the term's mart column, by key."""
    return {
        str(key): Decimal(amount) for key, amount in papers.query(MARTS[term]) if amount is not None
    }


def is_same(stated: Decimal | str, amount: Decimal) -> bool:
    """Whether a place states an amount, in the digits that it shows; a scaled one as pages do."""
    if isinstance(stated, str):
        if stated == clean(format_amount(amount, "EUR")):
            return True
        stated = to_amount(stated.partition(" EUR")[0])
    exponent = stated.as_tuple().exponent
    assert isinstance(exponent, int)
    return stated == round_half_up(amount, max(0, -exponent))
