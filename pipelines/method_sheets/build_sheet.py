"""Turn published rows into a method sheet: what a consumer is charged for, and how that is found.

Every sentence is made from the rules and figures of the published run, so that a sheet cannot be
out of date. It computes no money: an amount is a column of a mart or a sum made in SQL; a share is
made for display from two of them. A price and a unit cost are two figures, each by its name. Words
are those of people who pay, see `words`.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from pipelines.billing.formats import (
    format_amount,
    format_count,
    format_date,
    format_number,
    format_time,
)
from pipelines.billing.price_terms import (
    name_policy,
    name_price,
)
from pipelines.method_sheets.charge_sections import describe_part, describe_price
from pipelines.method_sheets.queries import Read, Row, SheetRows, has_figures, read_rows
from pipelines.method_sheets.records import (
    Section,
    Sheet,
    Table,
    UnknownPeriodError,
    UnknownServiceError,
)
from pipelines.method_sheets.sheet_figures import (
    GAP,
    find_method,
    find_share,
    find_terms,
    format_month,
    has_cost,
    is_held,
    say_unit_cost,
    write_percent,
)
from pipelines.method_sheets.words import (
    FALLBACKS,
    METHODS,
    ORIGINS,
    QUALITIES,
    STEPS,
    end_sentence,
    lower_first,
    say,
)

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
        describe_price(rows, month, currency),
        describe_part(rows, month, currency, business_unit_id),
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
        price=name_price(find_terms(rows), currency),
        unit_cost=say_unit_cost(rows, currency),
        counted_by=str(facts["driver_name"] or ""),
        owner_name=str(facts["owner_name"] or ""),
    )


def _say_origin(run: Row, month: str) -> str:
    return (
        f"{run['workspace_name']}, {month}. Written from the rules and the figures of run "
        f"{run['run_id']}, published {format_time(run['built_at'])}."
    )


def _summarise(rows: SheetRows, month: str, currency: str, subject: str) -> str:
    """'It is charged at cost by seats: unit cost 298.86 EUR per seat in Oct 2026.', or 'It is
    charged by its price: 71.50 EUR per seat in Oct 2026.'"""
    terms, counted = find_terms(rows), rows.facts["driver_name"]
    does = f"{subject} {name_policy(terms)}"
    if terms.has_price:
        return f"{does}: {name_price(terms, currency)} in {month}."
    if terms.is_apart_from_cost:
        return f"{does} in {month}."
    if not has_cost(rows):
        return f"{subject} had no cost in {month}."
    if is_held(rows):
        return f"{subject} has no known users in {month}, so its cost is charged to nobody."
    method = find_method(rows)
    if not method:
        return f"{does} line by line in {month}: each says who it is for."
    if not counted:
        way = "to one alone" if method == "direct" else say(METHODS, method)
        return f"{does}, {way}, in {month}."
    way = f"{does} by {lower_first(str(counted))}"
    cost = say_unit_cost(rows, currency)
    return f"{way}: unit cost {cost} in {month}." if cost else f"{way} in {month}."


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
            write_percent(row["amount"], total),
            format_amount(row["amount"]),
        )
        for row in rows.sources
    )
    count = sum(not row["is_own"] for row in rows.sources)
    if not count:
        sentence = "No other service is in it: all of the cost is its own."
    else:
        sentence = (
            f"{write_percent(others, total)} of its cost comes from "
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
            write_percent(row["amount"], total),
            format_amount(row["amount"]),
        )
        for row in rows.pools
    )
    largest = rows.pools[0]
    share = write_percent(largest["amount"], total)
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
            write_percent(row["amount"], row["total_amount"]),
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
    share = find_share(row["amount"], row["total_amount"])
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
