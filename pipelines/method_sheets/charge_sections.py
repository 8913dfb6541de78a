"""The sections of a method sheet on the charge: at what a service is charged, what that came to,
and how the part of one consumer is found, with an example and the parts of all.

A charge and the cost of the use behind it are two amounts wherever a price or a fee is charged;
each stands under its own name.
"""

from __future__ import annotations

from decimal import Decimal

from pipelines.billing.formats import format_amount, format_number, format_quantity
from pipelines.billing.price_terms import SHOWBACK, PriceTerms, format_price, say_charge
from pipelines.method_sheets.queries import Row, SheetRows
from pipelines.method_sheets.records import Section, Table
from pipelines.method_sheets.sheet_figures import (
    GAP,
    SAME_SHARE,
    find_method,
    find_share,
    find_terms,
    has_cost,
    is_held,
    say_unit_cost,
    write_money,
    write_percent,
)
from pipelines.method_sheets.words import AGREED_AND_REST, WAYS, end_sentence, lower_first, say

PRICE_HEADING, PART_HEADING = "What you pay", "How your part is found"
TIMES = "\N{MULTIPLICATION SIGN}"


def describe_price(rows: SheetRows, month: str, currency: str) -> Section:
    """How a charge is found, what was charged, and what the service cost: three things."""
    paragraphs = [say_charge(find_terms(rows), currency)]
    cost = rows.cost
    if cost is not None and cost["charged_amount"]:
        paragraphs.append(f"In {month} it charged {write_money(cost['charged_amount'], currency)}.")
    if cost is None or not has_cost(rows):
        paragraphs.append(f"In {month} it had no cost.")
        return Section(PRICE_HEADING, tuple(paragraphs))
    delivered, full = cost["delivered_amount"], cost["full_amount"]
    if delivered:
        paragraphs.append(f"In {month} it cost {write_money(delivered, currency)}.")
    elif full:
        paragraphs.append(
            f"In {month} it cost {write_money(full, currency)}. No cost centre uses it itself: "
            "other services do, and its cost goes to their users with them."
        )
        if cost["received_amount"]:
            received = write_money(cost["received_amount"], currency)
            paragraphs.append(f"{received} of that came from other services that it needs to work.")
    unit_cost = say_unit_cost(rows, currency)
    if unit_cost:
        included = ", other services that are in it included" if delivered else ""
        paragraphs.append(f"Its unit cost is {unit_cost}{included}.")
    return Section(PRICE_HEADING, tuple(paragraphs))


def describe_part(
    rows: SheetRows, month: str, currency: str, business_unit_id: str | None
) -> Section:
    """How the part of one consumer is found, an example, and the parts of all."""
    counted = rows.facts["driver_name"]
    terms = find_terms(rows)
    way = _say_beside(terms, counted) if terms.is_apart_from_cost else _say_way(rows)
    paragraphs = [way, _tell_example(rows, month, currency, business_unit_id)]
    if rows.method and counted and rows.method["has_named_consumers"]:
        paragraphs.append(
            "Some lines of its cost name the cost centre that they are for; these go there "
            "directly, on top of the share."
        )
    if not rows.units and not rows.other_users:
        return Section(PART_HEADING, tuple(filter(None, paragraphs)))
    return Section(
        PART_HEADING,
        tuple(filter(None, paragraphs)),
        _list_parts(rows, currency),
        _note_parts(rows),
    )


def _say_beside(terms: PriceTerms, counted: object) -> str:
    """What a cost is for where a price or a fee is charged."""
    what = "the price" if terms.has_price else "the fee"
    by = f" by {lower_first(str(counted))}" if counted else ""
    times = f" times your own {lower_first(str(counted))}" if terms.has_price and counted else ""
    times += ", each unit at its tier" if len(terms.tiers) > 1 and not terms.is_volume else ""
    times += ", and the base fee" if terms.base_fee else ""
    return f"Your charge is {what}{times}. The cost is split{by} to say what {what} recovers."


def _say_way(rows: SheetRows) -> str:
    """The method of the service in a sentence; what is counted stands in it by its name."""
    counted = lower_first(str(rows.facts["driver_name"] or ""))
    method = find_method(rows)
    if is_held(rows):
        if counted:
            return f"It would be split by {counted}, but none are known this month."
        return "Nothing is counted for it, and no line of its cost says who it is for."
    if not method:
        return "No count splits this cost: each line says itself who it is for."
    if method == "fixed" and counted:
        return AGREED_AND_REST.format(counted=counted)
    return end_sentence(say(WAYS, method)).format(counted=counted)


def _tell_example(rows: SheetRows, month: str, currency: str, business_unit_id: str | None) -> str:
    """'Example: in Mar 2026 Sales had 120 of 1,500 seats. That is 8.0 %, so it is charged 8.0 % of
    12,345.67 EUR: 987.65 EUR.' Nothing without quantities."""
    borne = [row for row in rows.units if row["is_borne"]]
    chosen = [row for row in borne if row["business_unit_id"] == business_unit_id] or borne
    if not chosen or not find_method(rows):
        return ""
    row, terms = chosen[0], find_terms(rows)
    if not row["quantity"]:
        return _tell_plain_example(row, rows, month, currency)
    had = (
        f"Example: in {month} {row['business_unit_name']} had "
        f"{format_quantity(row['quantity'])} of {format_quantity(row['total_quantity'])} "
        f"{lower_first(str(rows.facts['driver_name']))}."
    )
    if terms.is_apart_from_cost:
        return f"{had} {_tell_charge(row, terms, currency)}"
    use = find_share(row["quantity"], row["total_quantity"])
    part = find_share(row["amount"], row["total_amount"])
    if use is None or part is None:
        return had
    verb, amount = _say_verb(terms), write_money(row["amount"], currency)
    total = write_money(row["total_amount"], currency)
    share = f"{format_number(use * 100, 1)}{GAP}%"
    more = _tell_percentage(row, terms, currency)
    if abs(use - part) >= SAME_SHARE:
        return f"{had} That is {share} of the use; it {verb} {amount} of {total}{more}."
    return f"{had} That is {share}, so it {verb} {share} of {total}: {amount}{more}."


def _tell_charge(row: Row, terms: PriceTerms, currency: str) -> str:
    """'It is charged 120 x 71.50 EUR = 8,580.00 EUR; the cost of that use is 9,154.80 EUR.'"""
    charged = write_money(row["charged_amount"], currency)
    cost = write_money(row["amount"], currency)
    quantity, text = Decimal(row["quantity"]), charged
    if len(terms.tiers) == 1:
        price = terms.tiers[0].unit_price
        if quantity * price == row["charged_amount"]:
            factors = f"{format_quantity(quantity)} {TIMES} {format_price(price)}{GAP}{currency}"
            text = f"{factors} = {charged}"
    return f"It is charged {text}; the cost of that use is {cost}."


def _tell_percentage(row: Row, terms: PriceTerms, currency: str) -> str:
    """What cost plus makes of a share of the cost; nothing where the share is charged as it is."""
    if terms.percent is None:
        return ""
    return f", and with the percentage on it {write_money(row['charged_amount'], currency)}"


def _tell_plain_example(row: Row, rows: SheetRows, month: str, currency: str) -> str:
    """The same where nothing is counted: agreed percentages, equal parts."""
    terms, share = find_terms(rows), write_percent(row["amount"], row["total_amount"])
    who = f"Example: in {month} {row['business_unit_name']}"
    if terms.is_apart_from_cost:
        return f"{who} is charged {write_money(row['charged_amount'], currency)}."
    if not share:
        return ""
    return (
        f"{who} {_say_verb(terms)} {share} of {write_money(row['total_amount'], currency)}: "
        f"{write_money(row['amount'], currency)}{_tell_percentage(row, terms, currency)}."
    )


def _say_verb(terms: PriceTerms) -> str:
    """What a share of the cost means for who uses a service whose charge follows the cost."""
    if terms.charging_policy == SHOWBACK:
        return "is shown"
    return "bears" if terms.percent is not None else "is charged"


def _list_parts(rows: SheetRows, currency: str) -> Table:
    """Each share of the cost, and beside it what is charged, where something is."""
    counted = str(rows.facts["driver_name"] or "Use")
    cost = f"Cost, {currency}"
    body: tuple[tuple[str, ...], ...]
    if not rows.units:
        body = tuple(
            (
                str(row["consumer_name"]),
                format_quantity(row["quantity"]),
                write_percent(row["amount"], row["total_amount"]),
                format_amount(row["amount"]),
            )
            for row in rows.other_users
        )
        return Table(("Service that uses it", counted, "Part", cost), body, (1, 2, 3))
    is_charged = find_terms(rows).charging_policy != SHOWBACK
    body = tuple(
        (
            str(row["business_unit_name"]) if row["is_borne"] else _name_open(row),
            format_quantity(row["quantity"]),
            write_percent(row["amount"], row["total_amount"]),
            format_amount(row["amount"]),
            *([format_amount(row["charged_amount"])] if is_charged else []),
        )
        for row in rows.units
    )
    columns = ("Business unit", counted, "Part of the cost", cost)
    if not is_charged:
        return Table(columns, body, (1, 2, 3))
    return Table((*columns, f"Charged, {currency}"), body, (1, 2, 3, 4))


def _name_open(row: Row) -> str:
    return {
        "(unallocated)": "Nobody: no use is known",
        "(unmapped)": "Nobody: a cost centre that is not known",
        "(idle)": "Nobody: capacity that is not used",
    }.get(str(row["business_unit_id"]), str(row["business_unit_name"]))


def _note_parts(rows: SheetRows) -> str:
    if rows.units and rows.other_users:
        names = ", ".join(str(row["consumer_name"]) for row in rows.other_users)
        return f"Other services use it too and hand their part on to their own users: {names}."
    return ""
