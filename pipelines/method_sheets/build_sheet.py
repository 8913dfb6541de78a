"""Turn published rows into a method sheet: what a consumer pays for, and how the part is found.

Every sentence is made from the rules and figures of the published run, so that a sheet cannot be
out of date. It computes no money: an amount is a column of a mart or a sum made in SQL; a share is
made for display from two of them. Words are those of people who pay, see `words`.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from pipelines.billing.formats import (
    MONTHS,
    format_amount,
    format_count,
    format_date,
    format_number,
    format_quantity,
    format_rate,
    format_time,
)
from pipelines.method_sheets.queries import Read, Row, SheetRows, has_figures, read_rows
from pipelines.method_sheets.records import (
    Section,
    Sheet,
    Table,
    UnknownPeriodError,
    UnknownServiceError,
)
from pipelines.method_sheets.words import (
    AGREED_AND_REST,
    FALLBACKS,
    METHODS,
    ORIGINS,
    POLICIES,
    QUALITIES,
    STEPS,
    WAYS,
    end_sentence,
    lower_first,
    say,
)

GAP = "\N{NO-BREAK SPACE}"
SAME_SHARE = Decimal("0.0005")
"""Shares that differ by less read the same: 8.0 % and 8.0 %."""

SMALLEST_SHARE = Decimal("0.01")
"""Rules that bring less of the cost are counted, not listed."""


def make_sheet(
    read: Read,
    scenario_id: str,
    period_id: str,
    service_id: str,
    business_unit_id: str | None = None,
) -> Sheet:
    """The sheet of one service. The example is about `business_unit_id`, or about the unit that
    bears most. Raises UnknownServiceError and UnknownPeriodError."""
    contracts = {kind: origin.contract_id for kind, origin in ORIGINS.items()}
    rows = read_rows(read, scenario_id, period_id, service_id, contracts)
    if rows is None:
        raise UnknownServiceError(service_id)
    if not has_figures(read, scenario_id, period_id):
        raise UnknownPeriodError(period_id, scenario_id)
    return build_sheet(rows, period_id, business_unit_id)


def build_sheet(rows: SheetRows, period_id: str, business_unit_id: str | None = None) -> Sheet:
    """The sheet of rows that were read."""
    month, currency = format_month(period_id), str(rows.run["currency_code"])
    facts = rows.facts
    sections = (
        _describe_service(rows),
        _describe_price(rows, month, currency),
        _describe_part(rows, month, currency, business_unit_id),
        _advise("How to pay less", facts["how_to_use_less"], "The catalogue gives no advice yet."),
        _describe_count(rows),
        _describe_sources(rows, currency),
        _describe_pools(rows, currency),
        _describe_rules(rows, "services"),
        _describe_rules(rows, "towers"),
        _advise("How to order", facts["how_to_order"], "The catalogue does not say how yet."),
        _name_owner(rows),
    )
    return Sheet(
        service_id=str(facts["service_id"]),
        service_name=str(facts["service_name"]),
        category_name=str(facts["category_name"]),
        summary=_summarise(rows, month, currency, "It"),
        finding=_summarise(rows, month, currency, str(facts["service_name"])).rstrip("."),
        sections=tuple(section for section in sections if section is not None),
        origin=_say_origin(rows.run, month),
        price=_say_price(rows, currency),
        counted_by=str(facts["driver_name"] or ""),
        owner_name=str(facts["owner_name"] or ""),
    )


def format_month(period_id: str) -> str:
    """'Mar 2026' of '2026-03'; anything else stays as it is."""
    year, _, month = period_id.partition("-")
    if not (month.isdigit() and 1 <= int(month) <= 12):
        return period_id
    return f"{MONTHS[int(month) - 1]}{GAP}{year}"


def _money(value: Decimal | None, currency: str) -> str:
    return f"{format_amount(value)}{GAP}{currency}"


def _percent(part: Decimal | None, whole: Decimal | None) -> str:
    """A part in percent; one that would read as nothing is 'under 0.1 %'."""
    share = _share(part, whole)
    if share is None:
        return ""
    if 0 < share < SAME_SHARE:
        return f"under 0.1{GAP}%"
    return f"{format_number(share * 100, 1)}{GAP}%"


def _share(part: Decimal | None, whole: Decimal | None) -> Decimal | None:
    return None if part is None or not whole else Decimal(part) / Decimal(whole)


def _say_origin(run: Row, month: str) -> str:
    return (
        f"{run['workspace_name']}, {month}. Written from the rules and the figures of run "
        f"{run['run_id']}, published {format_time(run['built_at'])}."
    )


def _say_price(rows: SheetRows, currency: str) -> str:
    rate = rows.cost["unit_cost"] if rows.cost else None
    if rate is None:
        return ""
    unit = rows.facts["unit_name"] or rows.facts["unit_code"] or "unit"
    text = format_number(rate, 2) if abs(rate) >= 1 else format_rate(rate)
    return f"{text}{GAP}{currency} per {unit}"


def _summarise(rows: SheetRows, month: str, currency: str, subject: str) -> str:
    """'It is charged by seats: 298.86 EUR per seat per month in Oct 2026.'"""
    price, counted = _say_price(rows, currency), rows.facts["driver_name"]
    verb = _say_verb(rows, "is charged", "is counted")
    if not _has_cost(rows):
        return f"{subject} had no cost in {month}."
    if _is_held(rows):
        return f"{subject} has no known users in {month}, so nobody pays for it."
    method = _find_method(rows)
    if not method:
        return f"{subject} {verb} line by line in {month}: each says who it is for."
    if not counted:
        way = "to one alone" if method == "direct" else say(METHODS, method)
        return f"{subject} {verb} {way} in {month}."
    way = f"{subject} {verb} by {lower_first(str(counted))}"
    return f"{way}: {price} in {month}." if price else f"{way} in {month}."


def _has_cost(rows: SheetRows) -> bool:
    cost = rows.cost
    return cost is not None and bool(cost["delivered_amount"] or cost["full_amount"])


def _is_held(rows: SheetRows) -> bool:
    method = rows.method
    return bool(method and method["quality_code"] == "held" and not method["has_named_consumers"])


def _describe_service(rows: SheetRows) -> Section:
    facts = rows.facts
    paragraphs = [end_sentence(str(facts["description"] or ""))]
    if facts["business_processes"]:
        paragraphs.append(f"It supports: {facts['business_processes']}.")
    level = _say_service_level(facts)
    if level:
        paragraphs.append(f"What is promised: {level}.")
    table = None
    if rows.offerings:
        offered = tuple(
            (str(item["offering_name"]), str(item["description"] or "")) for item in rows.offerings
        )
        table = Table(("Offered as", "What it is"), offered)
    return Section("What you get", tuple(filter(None, paragraphs)), table)


def _say_service_level(facts: Row) -> str:
    parts = []
    if facts["availability_target_share"] is not None:
        share = format_number(facts["availability_target_share"] * 100, 2)
        parts.append(f"available {share}{GAP}% of the time")
    for column, words in (
        ("response_target_minutes", "a first answer within"),
        ("resolution_target_minutes", "a solution within"),
    ):
        if facts[column] is not None:
            parts.append(f"{words} {_say_minutes(int(facts[column]))}")
    if facts["sla_attainment_target_share"] is not None:
        share = format_number(facts["sla_attainment_target_share"] * 100, 0)
        parts.append(f"kept for {share}{GAP}% of tickets")
    return ", ".join(parts)


def _say_minutes(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    parts = [format_count(hours, "hour")] if hours else []
    if rest or not hours:
        parts.append(format_count(rest, "minute"))
    return " ".join(parts)


def _say_verb(rows: SheetRows, at_cost: str, priced: str) -> str:
    """What the cost of a use means for who uses it: it is paid, shown, or paid by another price."""
    policy = rows.facts["charging_policy"]
    return "is shown" if policy == "showback" else at_cost if policy == "at_cost" else priced


def _describe_price(rows: SheetRows, month: str, currency: str) -> Section:
    paragraphs = [say(POLICIES, rows.facts["charging_policy"])]
    cost = rows.cost
    if cost is None or not _has_cost(rows):
        paragraphs.append(f"In {month} it had no cost.")
        return Section("What you pay", tuple(paragraphs))
    delivered, full = cost["delivered_amount"], cost["full_amount"]
    if delivered:
        paragraphs.append(f"In {month} it cost {_money(delivered, currency)}.")
    elif full:
        paragraphs.append(
            f"In {month} it cost {_money(full, currency)}. No cost centre uses it itself: other "
            "services do, and their users pay for it with them."
        )
        if cost["received_amount"]:
            paragraphs.append(
                f"{_money(cost['received_amount'], currency)} of that came from other services "
                "that it needs to work."
            )
    price = _say_price(rows, currency)
    if price:
        paragraphs.append(
            f"That is {price}, other services that are in it included."
            if delivered
            else f"That is {price}."
        )
    return Section("What you pay", tuple(filter(None, paragraphs)))


def _describe_part(
    rows: SheetRows, month: str, currency: str, business_unit_id: str | None
) -> Section:
    """How the part of one consumer is found, an example, and the parts of all."""
    counted = rows.facts["driver_name"]
    paragraphs = [_say_way(rows), _tell_example(rows, month, currency, business_unit_id)]
    if rows.method and counted and rows.method["has_named_consumers"]:
        paragraphs.append(
            "Some lines of its cost name the cost centre that they are for; these go there "
            "directly, on top of the share."
        )
    if not rows.units and not rows.other_users:
        return Section("How your part is found", tuple(filter(None, paragraphs)))
    return Section(
        "How your part is found",
        tuple(filter(None, paragraphs)),
        _list_parts(rows, currency),
        _note_parts(rows),
    )


def _say_way(rows: SheetRows) -> str:
    """The method of the service in a sentence; what is counted stands in it by its name."""
    counted = lower_first(str(rows.facts["driver_name"] or ""))
    method = _find_method(rows)
    if _is_held(rows):
        if counted:
            return f"It would be split by {counted}, but none are known this month."
        return "Nothing is counted for it, and no line of its cost says who it is for."
    if not method:
        return "No count splits this cost: each line says itself who it is for."
    if method == "fixed" and counted:
        return AGREED_AND_REST.format(counted=counted)
    return end_sentence(say(WAYS, method)).format(counted=counted)


def _find_method(rows: SheetRows) -> str:
    """The method that is declared; `driver` where only what is counted is known; or nothing."""
    declared = rows.method["split_method"] if rows.method else None
    return str(declared or ("driver" if rows.facts["driver_name"] else ""))


def _tell_example(rows: SheetRows, month: str, currency: str, business_unit_id: str | None) -> str:
    """'Example: in Mar 2026 Sales had 120 of 1,500 seats. That is 8.0 %, so it pays 8.0 % of
    12,345.67 EUR: 987.65 EUR.' Nothing without quantities."""
    borne = [row for row in rows.units if row["is_borne"]]
    chosen = [row for row in borne if row["business_unit_id"] == business_unit_id] or borne
    if not chosen or not _find_method(rows):
        return ""
    row = chosen[0]
    if not row["quantity"]:
        return _tell_plain_example(row, rows, month, currency)
    use = _share(row["quantity"], row["total_quantity"])
    part = _share(row["amount"], row["total_amount"])
    verb = _say_verb(rows, "pays", "costs")
    had = (
        f"Example: in {month} {row['business_unit_name']} had "
        f"{format_quantity(row['quantity'])} of {format_quantity(row['total_quantity'])} "
        f"{lower_first(str(rows.facts['driver_name']))}."
    )
    amount = _money(row["amount"], currency)
    total = _money(row["total_amount"], currency)
    if use is None or part is None:
        return had
    share = f"{format_number(use * 100, 1)}{GAP}%"
    if abs(use - part) >= SAME_SHARE:
        return f"{had} That is {share} of the use; it {verb} {amount} of {total}."
    return f"{had} That is {share}, so it {verb} {share} of {total}: {amount}."


def _tell_plain_example(row: Row, rows: SheetRows, month: str, currency: str) -> str:
    """The same where nothing is counted: agreed percentages, equal parts."""
    share = _percent(row["amount"], row["total_amount"])
    if not share:
        return ""
    verb = _say_verb(rows, "pays", "costs")
    return (
        f"Example: in {month} {row['business_unit_name']} {verb} {share} of "
        f"{_money(row['total_amount'], currency)}: {_money(row['amount'], currency)}."
    )


def _list_parts(rows: SheetRows, currency: str) -> Table:
    counted = str(rows.facts["driver_name"] or "Use")
    if not rows.units:
        body = tuple(
            (
                str(row["consumer_name"]),
                format_quantity(row["quantity"]),
                _percent(row["amount"], row["total_amount"]),
                format_amount(row["amount"]),
            )
            for row in rows.other_users
        )
        columns = ("Service that uses it", counted, "Part", f"Bears, {currency}")
        return Table(columns, body, (1, 2, 3))
    body = tuple(
        (
            str(row["business_unit_name"]) if row["is_borne"] else _name_open(row),
            format_quantity(row["quantity"]),
            _percent(row["amount"], row["total_amount"]),
            format_amount(row["amount"]),
        )
        for row in rows.units
    )
    column = _say_verb(rows, "Pays", "Costs").capitalize()
    if not any(row["is_borne"] for row in rows.units):
        column = "Cost"
    return Table(("Business unit", counted, "Part", f"{column}, {currency}"), body, (1, 2, 3))


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


def _describe_count(rows: SheetRows) -> Section | None:
    """What is counted, where it comes from, how sure it is, and what happens without it."""
    method = rows.method
    if method is None or not method["driver_name"]:
        return None
    paragraphs = [end_sentence(str(method["driver_description"] or method["driver_name"]))]
    origin = ORIGINS.get(str(method["driver_kind"]))
    sentence = f"Counted in: {method['unit_code']}."
    if origin:
        sentence = f"The figures come from {origin.words}. {sentence}"
    paragraphs.append(sentence)
    quality = say(QUALITIES, method["quality_code"])
    last = method["last_counted_period_id"]
    if last:
        quality += f" Last counted: {format_month(str(last))}."
    paragraphs.append(quality)
    paragraphs.append(say(FALLBACKS, method["fallback"]))
    return Section(
        "How it is counted", tuple(filter(None, paragraphs)), _list_deliveries(rows.deliveries)
    )


def _list_deliveries(deliveries: Sequence[Row]) -> Table | None:
    if not deliveries:
        return None
    body = tuple(
        (
            str(row["source_name"]),
            format_month(str(row["latest_period_id"] or "")),
            format_date(row["landed_date"]) if row["landed_date"] else "",
        )
        for row in deliveries
    )
    return Table(("Source", "Latest month in it", "Came on"), body)


def _describe_sources(rows: SheetRows, currency: str) -> Section | None:
    """The service's own cost and what other services put into it."""
    if not rows.sources:
        return None
    total, others = rows.sources[0]["total_amount"], rows.sources[0]["other_amount"]
    body = tuple(
        (
            "The service itself" if row["is_own"] else str(row["from_service_name"]),
            _percent(row["amount"], total),
            format_amount(row["amount"]),
        )
        for row in rows.sources
    )
    count = sum(not row["is_own"] for row in rows.sources)
    if not count:
        sentence = "No other service is in its price: all of the cost is its own."
    else:
        sentence = (
            f"{_percent(others, total)} of its cost comes from "
            f"{format_count(count, 'other service')} that this one needs to work. Each hands on "
            "the part of its cost that this service uses."
        )
    table = Table(("What is in it", "Part", currency), body, (1, 2)) if count else None
    return Section("Which other services are in it", (sentence,), table)


def _describe_pools(rows: SheetRows, currency: str) -> Section | None:
    """The kinds of cost that the money was spent on."""
    if not rows.pools:
        return None
    total = rows.pools[0]["total_amount"]
    body = tuple(
        (
            str(row["cost_pool_name"]),
            _percent(row["amount"], total),
            format_amount(row["amount"]),
        )
        for row in rows.pools
    )
    largest = rows.pools[0]
    share = _percent(largest["amount"], total)
    sentence = (
        f"Most of it is {largest['cost_pool_name']} ({share})."
        if share and len(rows.pools) > 1
        else f"All of it is {largest['cost_pool_name']}."
    )
    table = Table(("Kind of cost", "Part", currency), body, (1, 2))
    return Section("What the money is spent on", (sentence,), table)


def _describe_rules(rows: SheetRows, stop_code: str) -> Section | None:
    """The rules of one step that brought the service its own cost, with reason and owner."""
    rules = [row for row in rows.rules if row["stop_code"] == stop_code]
    shown = [row for row in rules if _matters(row)]
    if not shown:
        return None
    body = tuple(
        (
            _say_rule(row),
            _percent(row["amount"], row["total_amount"]),
            end_sentence(str(row["reason"])),
            str(row["owner_name"] or ""),
            str(row["rule_id"]),
        )
        for row in shown
    )
    rest = len(rules) - len(shown)
    note = "Parts are of the service's own cost, without other services."
    if rest:
        verb = "brings" if rest == 1 else "bring"
        note += f" {format_count(rest, 'more rule')} {verb} less than 1{GAP}% each."
    heading, sentence = STEPS[stop_code]
    table = Table(("Cost is split", "Part", "Why", "Who decides", "Rule"), body, (1,))
    return Section(heading, (sentence,), table, note)


def _matters(row: Row) -> bool:
    share = _share(row["amount"], row["total_amount"])
    return share is None or abs(share) >= SMALLEST_SHARE


def _say_rule(row: Row) -> str:
    if row["driver_name"]:
        way = f"in proportion to {lower_first(str(row['driver_name']))}"
        if row["method"] == "fixed":
            return f"{METHODS['fixed']}, the rest {way}"
        return f"{way}, with agreed weights" if row["method"] == "weighted" else way
    if row["to_tagged_service"]:
        return "to the service that each line names"
    return say(METHODS, row["method"])


def _advise(heading: str, text: object, missing: str) -> Section:
    return Section(heading, (end_sentence(str(text or "")) or missing,))


def _name_owner(rows: SheetRows) -> Section:
    name, email = rows.facts["owner_name"], rows.facts["owner_email"]
    if not name:
        return Section("Whom to ask", ("The catalogue names no owner.",))
    contact = f" ({email})" if email else ""
    return Section("Whom to ask", (f"{name}{contact} answers for this service.",))
