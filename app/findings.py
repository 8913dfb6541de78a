"""The sentences that pages open with: each states what the figures say.

Pure functions from figures to plain text. A sentence names its period, leaves out what there is
no figure for, and never claims more than the rows hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pandas as pd

from app.formats import (
    compute_change,
    describe_against,
    format_amount,
    format_change,
    format_count,
    format_period,
    format_rate,
    format_share,
    format_signed,
    round_half_up,
    to_decimal,
    to_text,
)
from app.selection import Selection
from pipelines.close.preview import Answer
from pipelines.disputes.ageing import count_days
from pipelines.disputes.disputes import FINANCE, Dispute

Row = Mapping[Any, Any] | pd.Series


def state_cost(row: Row, services: pd.DataFrame, selection: Selection, currency: str) -> str:
    """'IT cost 4.31 M EUR in Oct 2026, 3.2 % over budget; Printing rose most (+41.2 k EUR)'."""
    amount = format_amount(row["amount"], currency)
    if to_decimal(row["amount"]) is None:
        return f"No IT cost in {selection.period_name}"
    if not selection.is_actual:
        return f"IT is budgeted at {amount} in {selection.period_name}"
    sentence = f"IT cost {amount} in {selection.period_name}"
    against = describe_against(row["amount"], row["budget_amount"], "budget")
    change = format_change(row["amount"], row["previous_amount"])
    if against:
        sentence += f", {against}"
    elif compute_change(row["amount"], row["previous_amount"]) is not None:
        sentence += f", {change} on {selection.previous_period_name}"
    change_share = compute_change(row["amount"], row["previous_amount"])
    mover = find_largest_mover(services, is_falling=change_share is not None and change_share < 0)
    if mover is not None:
        name, moved = mover
        verb = "rose" if moved > 0 else "fell"
        sentence += f"; {name} {verb} most ({format_signed(moved, currency)})"
    return sentence


def find_largest_mover(
    services: pd.DataFrame, *, is_falling: bool = False
) -> tuple[str, Decimal] | None:
    """The service that rose most on the month before or, where the total is falling, that fell
    most; if none moved that way, the one that moved most the other way; else None."""
    if services.empty:
        return None
    shown = services[~services["is_pseudo"] & services["previous_amount"].notna()]
    moves = [
        (str(name), moved)
        for name, moved in zip(
            shown["service_name"], map(to_decimal, shown["change_amount"]), strict=True
        )
        if moved
    ]
    if not moves:
        return None
    highest = max(moves, key=lambda move: move[1])
    lowest = min(moves, key=lambda move: move[1])
    if is_falling:
        return lowest if lowest[1] < 0 else highest
    return highest if highest[1] > 0 else lowest


def state_outlook(row: Row, fiscal_year: int, currency: str) -> str:
    """'2026 lands at 52.10 M EUR, 2.1 % over its budget of 51.03 M EUR: actual cost to ...'."""
    against = describe_against(row["outlook_amount"], row["budget_year_amount"], "its budget")
    last = row["last_actual_period_id"]
    basis = (
        f"actual cost to {format_period(str(last))} and the budget of the months after it"
        if isinstance(last, str) and last
        else "the budget of all its months"
    )
    return (
        f"{fiscal_year} lands at {format_amount(row['outlook_amount'], currency)}, "
        f"{against} of {format_amount(row['budget_year_amount'], currency)}: {basis}."
    )


def state_service(
    name: str, row: Row, units: pd.DataFrame, selection: Selection, currency: str
) -> str:
    """'Printing cost 312.4 k EUR in Oct 2026, 4.1 % over budget; Retail takes most (38.0 %)'."""
    if to_decimal(row["amount"]) is None:
        return f"{name} has no cost in {selection.period_name}"
    if to_decimal(row["amount"]) == 0 and to_decimal(row["passed_on_amount"]):
        full = format_amount(row["full_amount"], currency)
        verb = "costs" if selection.is_actual else "is budgeted at"
        return (
            f"{name} {verb} {full} in {selection.period_name} "
            "and passes all of it on to other services"
        )
    verb = "cost" if selection.is_actual else "is budgeted at"
    sentence = f"{name} {verb} {format_amount(row['amount'], currency)} in {selection.period_name}"
    against = describe_against(row["amount"], row["budget_amount"], "budget")
    if selection.is_actual and against:
        sentence += f", {against}"
    consuming = units[~units["business_unit_id"].astype(str).str.startswith("(")]
    if not consuming.empty:
        top = consuming.iloc[0]
        share = share_of(top["cost_amount"], top["total_amount"])
        if share is not None:
            sentence += f"; {top['business_unit_name']} takes most ({format_share(share)})"
    elif not units.empty:
        sentence += "; nobody is known to use it"
    return sentence


def share_of(part: Any, whole: Any) -> Decimal | None:
    """A part of a whole as a share of one, for a sentence or a column; None of nothing."""
    top, bottom = to_decimal(part), to_decimal(whole)
    if top is None or not bottom:
        return None
    return round_half_up(top / bottom, 6)


def state_chargeback(
    total: Row,
    open_amount: Decimal,
    difference: Decimal | None,
    selection: Selection,
    currency: str,
) -> str:
    """'8 business units are billed 3.91 M EUR for Oct 2026; 12.3 k EUR has no payer yet'. What is
    billed is the total of the bills, other items than charges included."""
    count = int(total["business_unit_count"])
    if not count:
        return f"No bills for {selection.period_name}"
    verb = "are" if count > 1 else "is"
    if not selection.is_actual:
        verb += " budgeted to be"
    sentence = (
        f"{format_count(count, 'business unit')} {verb} billed "
        f"{format_amount(total['billed_amount'], currency)} for {selection.period_name}"
    )
    if difference is not None and difference != 0:
        return (
            f"{sentence}, which does not tie to the ledger by {format_signed(difference, currency)}"
        )
    if open_amount:
        return f"{sentence}; {format_amount(open_amount, currency)} has no payer yet"
    if difference == 0:
        return f"{sentence}; every cent ties to the ledger"
    return sentence


def state_recovery(services: pd.DataFrame, selection: Selection, currency: str) -> str:
    """'Email over-recovers 12.3 k EUR in the fiscal year 2026 to Oct 2026; all prices together
    charge 4.1 k EUR below the cost'. The service is the one that is furthest from its cost."""
    if services.empty:
        return f"Nothing is charged by price up to {selection.period_name}"
    amounts = [to_decimal(value) or Decimal(0) for value in services["recovery_to_date_amount"]]
    until = f"in the fiscal year {selection.fiscal_year} to {selection.period_name}"
    largest = max(range(len(amounts)), key=lambda row: abs(amounts[row]))
    if not amounts[largest]:
        return f"Prices recover the cost of every service {until}, to the cent"
    side = "over" if amounts[largest] > 0 else "under"
    sentence = (
        f"{services['service_name'].iloc[largest]} {side}-recovers "
        f"{format_amount(abs(amounts[largest]), currency)} {until}"
    )
    if len(amounts) == 1:
        return sentence
    total = sum(amounts, Decimal(0))
    if not total:
        return f"{sentence}; all prices together charge the cost"
    where = "above" if total > 0 else "below"
    amount = format_amount(abs(total), currency)
    return f"{sentence}; all prices together charge {amount} {where} the cost"


def state_disputes(
    waiting: Sequence[Dispute],
    answers: Sequence[Answer] | None,
    selection: Selection,
    currency: str,
    today: pd.Timestamp,
) -> str:
    """'3 disputes over 12.4 k EUR are open, the oldest for 41 days', or 'No dispute is open; 1
    comment on the bills of Feb 2026 is'. `answers`: None where the books cannot be read."""
    if answers is None:
        return f"What is disputed on the bills of {selection.period_name} cannot be read"
    if waiting:
        disputed = sum((abs(item.asked_amount) for item in waiting), Decimal(0))
        days = max(count_days(item, today.date()) for item in waiting)
        verb, which = ("are", "the oldest ") if len(waiting) > 1 else ("is", "")
        proposed = sum(item.raised_by == FINANCE for item in waiting)
        counts = (
            format_count(count, noun)
            for count, noun in (
                (len(waiting) - proposed, "dispute"),
                (proposed, "proposed adjustment"),
            )
            if count
        )
        return (
            f"{' and '.join(counts)} over {format_amount(disputed, currency)} "
            f"{verb} open, {which}for {format_count(days, 'day')}"
        )
    comments = sum(item.is_open_comment for item in answers)
    if comments:
        verb = "are" if comments > 1 else "is"
        return (
            f"No dispute is open; {format_count(comments, 'comment')} on the bills of "
            f"{selection.period_name} {verb}"
        )
    return f"No dispute is open, and no comment on the bills of {selection.period_name}"


def state_coverage(
    parts: pd.DataFrame, keys: pd.DataFrame, selection: Selection, currency: str
) -> str:
    """'88.1 % of the cloud bill of Oct 2026 has a service; 43.3 k EUR has none, most of it in
    sub-account NB-09'."""
    rows = parts[parts["target_kind"] == "service"] if len(parts) else parts
    if rows.empty:
        return f"No cloud bill in {selection.period_name}"
    bill = to_decimal(rows["bill_amount"].iloc[0]) or Decimal(0)
    mapped = to_decimal(rows["mapped_amount"].iloc[0]) or Decimal(0)
    open_amount = to_decimal(rows["open_amount"].iloc[0]) or Decimal(0)
    if not open_amount:
        return f"The whole cloud bill of {selection.period_name} has a service"
    amount = format_amount(open_amount, currency)
    if bill <= 0:
        return f"{amount} of the cloud bill of {selection.period_name} has no service"
    share = format_share(mapped / bill)
    sentence = (
        f"{share} of the cloud bill of {selection.period_name} has a service; {amount} has none"
    )
    largest = _find_telling_key(keys, open_amount)
    return f"{sentence}, most of it in {largest}" if largest else sentence


def _find_telling_key(keys: pd.DataFrame, open_amount: Decimal) -> str | None:
    """The sub-account with more than half of the money without a service; None without one."""
    rows = keys[(keys["target_kind"] == "service") & (keys["key_kind"] == "sub_account")]
    if rows.empty or rows["amount"].iloc[0] * 2 <= open_amount:
        return None
    return f"sub-account {rows['key_value'].iloc[0]}"


def find_comparable_references(
    references: pd.DataFrame, unit_code: str, currency: str
) -> pd.DataFrame:
    """The references for the unit cost in our unit and currency that have a median, newest first;
    nothing is converted."""
    return references[
        (references["metric"] == "unit_cost")
        & (references["unit_code"] == unit_code)
        & (references["currency_code"] == currency)
        & references["median_value"].notna()
    ]


def state_benchmark(
    facts: Row,
    row: Row,
    *,
    reference: Row | None,
    quality: Row | None,
    selection: Selection,
    currency: str,
) -> str:
    """'Printing costs 0.0312 EUR per page in Oct 2026, 12.0 % over the median of Peers 2025;
    98.2 % of tickets met their SLA (target 95.0 %)'."""
    own = to_decimal(row["unit_cost"])
    name = facts["service_name"]
    if own is None:
        sentence = f"{name} has no unit cost in {selection.period_name}: no quantity is measured"
    else:
        sentence = (
            f"{name} {'costs' if selection.is_actual else 'is budgeted at'} "
            f"{format_rate(own, currency)} per {to_text(facts['unit_code']) or 'unit'} "
            f"in {selection.period_name}"
        )
        if reference is not None:
            median = f"the median of {reference['source_name']} {reference['publication_year']}"
            sentence += f", {describe_against(own, reference['median_value'], median)}"
        else:
            against = describe_against(own, row["budget_unit_cost"], "budget")
            sentence += f", {against}" if selection.is_actual and against else ""
    if quality is not None and to_decimal(quality["sla_attainment_share"]) is not None:
        sentence += f"; {format_share(quality['sla_attainment_share'])} of tickets met their SLA"
        target = to_decimal(facts["sla_attainment_target_share"])
        sentence += f" (target {format_share(target)})" if target is not None else ""
    return sentence


def state_fairness(name: str, bills: pd.DataFrame, selection: Selection, currency: str) -> str:
    """'All 65 cost shares of Network lie between the incremental and the stand-alone cost in Oct
    2026', or '3 of 41 cost shares of Network lie above the stand-alone cost ...'."""
    if bills.empty:
        return f"{name} has fewer than 2 consumers in {selection.period_name}"
    first = bills.iloc[0]
    status, count = str(first["status_code"]), len(bills)
    if status == "undeclared":
        amount = format_amount(first["service_undeclared_amount"], currency)
        return (
            f"The {count} cost shares of {name} cannot be compared in {selection.period_name}: for "
            f"{amount} nobody declared whether it is fixed or follows use"
        )
    if status not in {"compared", "dedicated"}:
        why = "its use is not measured" if status == "unmeasured" else "a credit is in its cost"
        period = selection.period_name
        return f"The {count} cost shares of {name} cannot be compared in {period}: {why}"
    above, below = (int((bills["verdict_code"] == code).sum()) for code in ("above", "below"))
    if not above and not below:
        return (
            f"All {count} cost shares of {name} lie between the incremental and the stand-alone "
            f"cost in {selection.period_name}"
        )
    parts = [
        f"{number} of {count} cost shares of {name} {'lies' if number == 1 else 'lie'} {where}"
        for number, where in (
            (above, "above the stand-alone cost"),
            (below, "below the incremental cost"),
        )
        if number
    ]
    return f"{', and '.join(parts)} in {selection.period_name}"


def state_catalogue(catalogue: pd.DataFrame, shown: pd.DataFrame) -> str:
    """'18 services in 7 categories; 5 have a price, 10 are charged at cost', or '3 of 18 services
    match'."""
    count = format_count(len(catalogue), "service")
    if len(shown) != len(catalogue):
        return f"{len(shown)} of {count} {'matches' if len(shown) == 1 else 'match'}"
    categories = format_count(catalogue["category_name"].nunique(), "category", "categories")
    priced = int((catalogue["tier_count"] > 0).sum())
    at_cost = int((catalogue["charging_policy"] == "at_cost").sum())
    return (
        f"{count} in {categories}; {priced or 'none'} {'has' if priced == 1 else 'have'} a price, "
        f"{at_cost or 'none'} {'is' if at_cost == 1 else 'are'} charged at cost"
    )


def state_checks(checks: pd.DataFrame, source_count: int) -> str:
    """'2 warnings, no errors in 253 checks of 17 sources'."""
    if checks.empty:
        return "The deliveries of this run were not checked"
    failed = checks.loc[~checks["is_passed"].astype(bool), "severity_code"]
    errors, warnings = int((failed == "error").sum()), int((failed == "warning").sum())
    made = f"{format_count(len(checks), 'check')} of {format_count(source_count, 'source')}"
    if not errors and not warnings:
        return f"All is well in {made}"
    parts = [
        format_count(count, noun) if count else f"no {noun}s"
        for count, noun in ((warnings, "warning"), (errors, "error"))
    ]
    return f"{', '.join(parts)} in {made}"
