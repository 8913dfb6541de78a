"""Figures of a method sheet as text, and what its rows say of the service in one word."""

from __future__ import annotations

from decimal import Decimal

from pipelines.billing.formats import MONTHS, format_amount, format_number, format_rate
from pipelines.billing.price_terms import PriceTerms, make_terms
from pipelines.method_sheets.queries import SheetRows

GAP = "\N{NO-BREAK SPACE}"
SAME_SHARE = Decimal("0.0005")
"""Shares that differ by less read the same: 8.0 % and 8.0 %."""


def format_month(period_id: str) -> str:
    """'Mar 2026' of '2026-03'; anything else stays as it is."""
    year, _, month = period_id.partition("-")
    if not (month.isdigit() and 1 <= int(month) <= 12):
        return period_id
    return f"{MONTHS[int(month) - 1]}{GAP}{year}"


def write_money(value: Decimal | None, currency: str) -> str:
    return f"{format_amount(value)}{GAP}{currency}"


def write_percent(part: Decimal | None, whole: Decimal | None) -> str:
    """A part in percent; one that would read as nothing is 'under 0.1 %'."""
    share = find_share(part, whole)
    if share is None:
        return ""
    if 0 < share < SAME_SHARE:
        return f"under 0.1{GAP}%"
    return f"{format_number(share * 100, 1)}{GAP}%"


def find_share(part: Decimal | None, whole: Decimal | None) -> Decimal | None:
    return None if part is None or not whole else Decimal(part) / Decimal(whole)


def find_terms(rows: SheetRows) -> PriceTerms:
    """At what the service is charged in the month of the sheet."""
    unit = str(rows.facts["unit_name"] or rows.facts["unit_code"] or "unit")
    terms = make_terms(rows.prices, unit)
    return terms or PriceTerms(str(rows.facts["charging_policy"]), unit)


def say_unit_cost(rows: SheetRows, currency: str) -> str:
    rate = rows.cost["unit_cost"] if rows.cost else None
    if rate is None:
        return ""
    unit = rows.facts["unit_name"] or rows.facts["unit_code"] or "unit"
    text = format_number(rate, 2) if abs(rate) >= 1 else format_rate(rate)
    return f"{text}{GAP}{currency} per {unit}"


def has_cost(rows: SheetRows) -> bool:
    cost = rows.cost
    return cost is not None and bool(cost["delivered_amount"] or cost["full_amount"])


def is_held(rows: SheetRows) -> bool:
    method = rows.method
    return bool(method and method["quality_code"] == "held" and not method["has_named_consumers"])


def find_method(rows: SheetRows) -> str:
    """The method that is declared; `driver` where only what is counted is known; or nothing."""
    declared = rows.method["split_method"] if rows.method else None
    return str(declared or ("driver" if rows.facts["driver_name"] else ""))
