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

COST_CHANGE = "cost_change_amount"
"""Column of the part of a service's change that is more or less cost, where it is known."""


def state_cost(row: Row, services: pd.DataFrame, selection: Selection, currency: str) -> str:
    """'IT cost 4.31 M EUR in Oct 2026, 3.2 % over budget; Printing is most over budget (+41.2 k
    EUR)'. It makes one comparison, with the budget or else with the month before, and names what
    moved most in that one."""
    amount = format_amount(row["amount"], currency)
    if to_decimal(row["amount"]) is None:
        return f"No IT cost in {selection.period_name}"
    if not selection.is_actual:
        return f"IT is budgeted at {amount} in {selection.period_name}"
    return _state_compared(f"IT cost {amount}", row, services, "service_name", selection, currency)


def _state_compared(
    start: str,
    row: Row,
    parts: pd.DataFrame,
    name_column: str,
    selection: Selection,
    currency: str,
) -> str:
    """'<start> in Oct 2026' with one comparison and the part that it is mostly made of."""
    sentence = f"{start} in {selection.period_name}"
    if selection.missing:
        return f"{start} so far in {selection.period_name}: {selection.missing}"
    amount, budget, previous = (
        to_decimal(row[column]) for column in ("amount", "budget_amount", "previous_amount")
    )
    assert amount is not None
    if budget is not None:
        text = describe_against(amount, budget, "budget", currency)
        change, base = amount - budget, budget
        column, verbs = "variance_amount", ("is most over budget", "is most under budget")
    elif previous is not None and selection.is_comparable:
        text = _compare_with_month(amount, previous, selection, currency)
        change, base = amount - previous, previous
        column, verbs = "change_amount", ("rose most", "fell most")
        if COST_CHANGE in parts.columns:
            # What drivers only moved from one service to another is the cause of no change.
            column, verbs = COST_CHANGE, ("rose most by its cost", "fell most by its cost")
    else:
        return sentence
    sentence += f", {text}"
    mover = None
    if selection.materiality.is_material(change, base):
        mover = find_largest_mover(parts, column, name_column, is_falling=change < 0)
    if mover is None:
        return sentence
    return f"{sentence}; {mover[0]} {verbs[change < 0]} ({format_signed(mover[1], currency)})"


def _compare_with_month(
    amount: Decimal, previous: Decimal, selection: Selection, currency: str
) -> str:
    """'3.1 % more than in Sep 2026', or as an amount where a percentage says nothing."""
    name = selection.previous_period_name
    if amount == previous:
        return f"the same as in {name}"
    change = compute_change(amount, previous)
    size = format_amount(abs(amount - previous), currency)
    if change is not None:
        size = format_share(abs(change))
    return f"{size} {'more' if amount > previous else 'less'} than in {name}"


def find_largest_mover(
    parts: pd.DataFrame,
    column: str = "change_amount",
    name_column: str = "service_name",
    *,
    is_falling: bool = False,
) -> tuple[str, Decimal] | None:
    """The part that moved most in the direction of the whole, by its name; None where none did.

    What has no place in the catalogue or the organisation is not named. A part without a figure to
    compare with has no change, and is none.
    """
    if parts.empty or column not in parts.columns:
        return None
    shown = parts[~parts["is_pseudo"]] if "is_pseudo" in parts.columns else parts
    moves = [
        (str(name), moved)
        for name, moved in zip(shown[name_column], map(to_decimal, shown[column]), strict=True)
        if moved and (moved < 0) == is_falling
    ]
    return max(moves, key=lambda move: abs(move[1]), default=None)


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
    """'Printing cost 312.4 k EUR in Oct 2026, 4.1 % over budget; Retail is most over budget (+9.0 k
    EUR)'."""
    if to_decimal(row["amount"]) is None:
        return f"{name} has no cost in {selection.period_name}"
    if to_decimal(row["amount"]) == 0 and to_decimal(row["passed_on_amount"]):
        full = format_amount(row["full_amount"], currency)
        verb = "costs" if selection.is_actual else "is budgeted at"
        return (
            f"{name} {verb} {full} in {selection.period_name} "
            "and passes all of it on to other services"
        )
    amount = format_amount(row["amount"], currency)
    if not selection.is_actual:
        return f"{name} is budgeted at {amount} in {selection.period_name}"
    consuming = units[~units["business_unit_id"].astype(str).str.startswith("(")]
    if consuming.empty and not units.empty:
        return f"{name} cost {amount} in {selection.period_name}; nobody is known to use it"
    start = f"{name} cost {amount}"
    return _state_compared(start, row, consuming, "business_unit_name", selection, currency)


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
    if selection.missing:
        sentence += f", which is not complete ({selection.missing})"
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
    """'Prices charge 4.1 k EUR below the cost in the fiscal year 2026 to Oct 2026; Mobile is
    furthest below (-6.0 k EUR)': the service furthest on the side on which all are together."""
    if services.empty:
        return f"Nothing is charged by price up to {selection.period_name}"
    amounts = [to_decimal(value) or Decimal(0) for value in services["recovery_to_date_amount"]]
    until = f"in the fiscal year {selection.fiscal_year} to {selection.period_name}"
    if not any(amounts):
        return f"Prices recover the cost of every service {until}, to the cent"
    total = sum(amounts, Decimal(0))
    if len(amounts) == 1:
        side = "over" if total > 0 else "under"
        name = services["service_name"].iloc[0]
        return f"{name} {side}-recovers {format_amount(abs(total), currency)} {until}"
    if not total:
        return f"All prices together charge the cost {until}"
    where = "above" if total > 0 else "below"
    sentence = f"Prices charge {format_amount(abs(total), currency)} {where} the cost {until}"
    column = "recovery_to_date_amount"
    furthest = find_largest_mover(services, column, is_falling=total < 0)
    if furthest is None or not selection.materiality.is_material(furthest[1], Decimal(0)):
        return sentence
    name, amount = furthest
    return f"{sentence}; {name} is furthest {where} ({format_signed(amount, currency)})"


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
    """'Printing costs 0.0312 EUR per page in Oct 2026, 12.0 % over the median of Peers 2025'. Where
    no quantity is measured, '...; 98.2 % of tickets met their SLA (target 95.0 %)'."""
    own = to_decimal(row["unit_cost"])
    name = facts["service_name"]
    if own is None:
        sentence = f"{name} has no unit cost in {selection.period_name}: no quantity is measured"
        return sentence + _state_quality(facts, quality)
    sentence = (
        f"{name} {'costs' if selection.is_actual else 'is budgeted at'} "
        f"{format_rate(own, currency)} per {to_text(facts['unit_code']) or 'unit'} "
    )
    if selection.missing:
        return f"{sentence}so far in {selection.period_name}: {selection.missing}"
    sentence += f"in {selection.period_name}"
    if reference is not None:
        median = f"the median of {reference['source_name']} {reference['publication_year']}"
        return f"{sentence}, {describe_against(own, reference['median_value'], median)}"
    against = describe_against(own, row["budget_unit_cost"], "budget")
    return f"{sentence}, {against}" if selection.is_actual and against else sentence


def _state_quality(facts: Row, quality: Row | None) -> str:
    if quality is None or to_decimal(quality["sla_attainment_share"]) is None:
        return ""
    text = f"; {format_share(quality['sla_attainment_share'])} of tickets met their SLA"
    target = to_decimal(facts["sla_attainment_target_share"])
    return f"{text} (target {format_share(target)})" if target is not None else text


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
    where = "above the stand-alone cost"
    if above and below:
        where = "outside of the incremental and the stand-alone cost"
    elif below:
        where = "below the incremental cost"
    lies = "lies" if above + below == 1 else "lie"
    return (
        f"{above + below} of {count} cost shares of {name} {lies} {where} "
        f"in {selection.period_name}"
    )


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
