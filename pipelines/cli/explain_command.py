"""`apportion explain`: why a bill differs from that of another period."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.cli.output import JsonOption, WorkspaceOption, format_money, print_json
from pipelines.cli.tabular import Table, TableFormat, print_tables
from pipelines.rerun.bill_terms import list_cost_terms
from pipelines.rerun.bridge_terms import TERMS
from pipelines.rerun.bridge_words import LABELS, find_headline, state_reason

if TYPE_CHECKING:
    from pipelines.rerun.engine import Scope
    from pipelines.rerun.explain import Bridge


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explain")(explain)


def explain(
    period: Annotated[str, typer.Argument(help="Period, such as 2026-10.")],
    against: Annotated[str, typer.Option("--against", help="Period to explain it against.")],
    service: Annotated[
        str | None, typer.Option("--service", help="Service of the charge; alone: all of it.")
    ] = None,
    cost_centre: Annotated[
        str | None, typer.Option("--cost-centre", help="Consumer; alone: its whole bill.")
    ] = None,
    business_unit: Annotated[
        str | None, typer.Option("--business-unit", "-b", help="The same of a business unit.")
    ] = None,
    scenario: Annotated[str, typer.Option(help="actual, budget or restated.")] = "actual",
    against_scenario: Annotated[
        str | None, typer.Option(help="Scenario of the other bill; default the same.")
    ] = None,
    form: Annotated[
        TableFormat, typer.Option("--format", help="How to write the tables.")
    ] = TableFormat.TABLE,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Say why a bill differs from that of another period, in terms that sum to the change."""
    from pipelines.rerun.bridge_subject import Wanted
    from pipelines.rerun.explain import explain_bill
    from pipelines.workspace.workspace import Workspace

    bridge = explain_bill(
        Workspace.open(workspace),
        period,
        against,
        Wanted(service, cost_centre, business_unit),
        scenario_id=scenario,
        against_scenario_id=against_scenario,
    )
    if as_json:
        print_json(_bridge_as_json(bridge))
        return 0
    if form is TableFormat.CSV:
        # A program that reads it wants one table, and amounts without signs and separators of ours.
        print_tables([_make_term_table(bridge, _leave)], form)
        return 0
    tables = [_make_term_table(bridge, _sign), *_make_recovery_tables(bridge)]
    print_tables([*tables, *_make_part_tables(bridge)], form)
    for note in _write_notes(bridge):
        print(note)
    return 0


def say_finding(bridge: Bridge) -> str:
    """The headline: who pays how much more or less than in the other period, and why mostly."""
    subject, change = bridge.subject, bridge.change
    periods = (_say_period(bridge.scope), _say_period(bridge.against))
    if subject.consumer_name:
        verb = "pays"
        if subject.is_showback:
            verb = "is shown"
        elif subject.before.shown or subject.after.shown:
            verb = "is charged and shown"
        if subject.consumer_name.startswith("("):
            verb = "bears"
        who = f"{subject.consumer_name} {verb}"
        what = f" for {subject.service_name}" if subject.service_name else ""
    else:
        verb = "costs" if bridge.recovery is None else "charges"
        who, what = f"{subject.service_name} {verb}", ""
    if not change:
        amount = f"{format_money(bridge.after)} {bridge.currency_code}"
        return f"{who} the same{what} in {periods[0]} as in {periods[1]}: {amount}"
    amount = f"{format_money(abs(change))} {bridge.currency_code}"
    more = "more" if change > 0 else "less"
    return f"{who} {amount} {more}{what} in {periods[0]} than in {periods[1]}, {_say_why(bridge)}"


def _say_why(bridge: Bridge) -> str:
    term = find_headline(
        bridge.netted, bridge.change, bridge.before or bridge.after, bridge.materiality
    )
    if term is not None:
        reason = state_reason(term, bridge.change)
        return f"mostly because {reason} ({_sign(bridge.netted[term])})"
    threshold = bridge.materiality.describe(bridge.currency_code)
    if bridge.materiality.is_material(bridge.change, bridge.before or bridge.after):
        return f"of many causes: none reaches the threshold of {threshold}"
    return f"which is below the threshold of {threshold}: no cause is named"


def _make_term_table(bridge: Bridge, write: Callable[[Decimal], Any]) -> Table:
    rows: list[tuple[Any, ...]] = [(_say_period(bridge.against), bridge.before, "", "", "")]
    for term, amount in bridge.terms.items():
        if not amount and (term not in TERMS or bridge.recovery is not None):
            continue
        percent = _say_percent(amount, bridge.change)
        cause = bridge.causes.get(term, "") if term != "rounding" else "cents of bill lines"
        rows.append((LABELS[term], write(amount), percent, write(bridge.netted[term]), cause))
    rows.append((_say_period(bridge.scope), bridge.after, "", "", ""))
    columns = ("term", bridge.currency_code, "% of change", "net", "largest cause")
    return Table(say_finding(bridge), columns, rows, numeric=(1, 2, 3))


def _make_recovery_tables(bridge: Bridge) -> list[Table]:
    """What the cost of what has a price did: nothing to the bill, and all to the recovery."""
    recovery = bridge.recovery
    if recovery is None:
        return []
    rows: list[tuple[Any, ...]] = [
        (f"Recovery {_say_period(bridge.against)}", recovery.before, ""),
        ("Change of the charges", _sign(recovery.charged_change), ""),
        *(
            (f"Cost: {LABELS[term].lower()}", _sign(amount), recovery.causes.get(term, ""))
            for term, amount in list_cost_terms(recovery)
        ),
        (f"Recovery {_say_period(bridge.scope)}", recovery.after, ""),
    ]
    title = (
        "What happened to the recovery: charged minus cost of what is charged at a price, "
        f"{bridge.currency_code}"
    )
    return [Table(title, ("term", bridge.currency_code, "largest cause"), rows, numeric=(1,))]


def _make_part_tables(bridge: Bridge) -> list[Table]:
    """By service, or by cost centre of a service; terms that are nothing in all are left out."""
    if not bridge.parts:
        return []
    terms = [term for term in LABELS if any(part.terms[term] for part in bridge.parts)]
    rows: list[tuple[Any, ...]] = [
        (
            part.name,
            part.before,
            *(_sign(part.terms[term]) if part.terms[term] else "" for term in terms),
            part.after,
        )
        for part in bridge.parts
    ]
    sums = [_sign(bridge.terms[term]) for term in terms]
    rows.append(("All", bridge.before, *sums, bridge.after))
    what = "service" if bridge.subject.wanted.service_id is None else "cost centre"
    columns = (
        what,
        _say_period(bridge.against),
        *(LABELS[term] for term in terms),
        _say_period(bridge.scope),
    )
    title = f"By {what}, largest change first, {bridge.currency_code}"
    return [Table(title, columns, rows, numeric=tuple(range(1, len(columns))))]


def _write_notes(bridge: Bridge) -> list[str]:
    order = ", ".join(LABELS[term].lower() for term in TERMS)
    threshold = bridge.materiality.describe(bridge.currency_code)
    below = f" It names no cause below {threshold} of the bill before." if threshold else ""
    notes = [
        f"The terms sum to the change of {_sign(bridge.change)} {bridge.currency_code}, to the "
        "cent. Another order of the swaps would share out otherwise what acts together.",
        f"Swapped in this order: {order}. Charges at a price: first the policy, then volume, "
        "tiers, use at peak and price.",
        "The headline ranks by the column net: terms that cancel each other inside one charge are "
        f"set off first.{below}",
    ]
    subject = bridge.subject
    for bill, scope in ((subject.before, bridge.against), (subject.after, bridge.scope)):
        if not bill.charges:
            notes.append(f"There is no such charge in {_say_period(scope)}.")
    if subject.is_showback:
        notes.append("This is a showback: the cost is shown, and nothing is charged.")
    elif subject.before.shown or subject.after.shown:
        notes.append(
            f"Of it shown and not charged (showback): {format_money(subject.before.shown)} in "
            f"{_say_period(bridge.against)}, {format_money(subject.after.shown)} in "
            f"{_say_period(bridge.scope)}."
        )
    return notes


def _say_period(scope: Scope) -> str:
    return (
        scope.period_id
        if scope.scenario_id == "actual"
        else f"{scope.scenario_id} {scope.period_id}"
    )


def _say_percent(amount: Decimal, change: Decimal) -> str:
    if not change or not amount:
        return ""
    percent = round(amount / change * 100, 1)
    return f"{percent:.1f}" if percent else "0.0"


def _sign(amount: Decimal) -> str:
    return f"{amount:+,.2f}" if amount else format_money(amount)


def _leave(amount: Decimal) -> Decimal:
    return amount


def _bridge_as_json(bridge: Bridge) -> dict[str, Any]:
    wanted = bridge.subject.wanted
    return {
        "finding": say_finding(bridge),
        "run_id": bridge.run_id,
        "scenario_id": bridge.scope.scenario_id,
        "period_id": bridge.scope.period_id,
        "against": {
            "scenario_id": bridge.against.scenario_id,
            "period_id": bridge.against.period_id,
        },
        "service_id": wanted.service_id,
        "cost_centre_id": wanted.cost_centre_id,
        "business_unit_id": wanted.business_unit_id,
        "currency_code": bridge.currency_code,
        "is_showback": bridge.subject.is_showback,
        "before": bridge.before,
        "after": bridge.after,
        "change": bridge.change,
        "order": TERMS,
        "terms": [
            {
                "term": term,
                "amount": amount,
                "netted": bridge.netted[term],
                "cause": bridge.causes.get(term, ""),
            }
            for term, amount in bridge.terms.items()
        ],
        "headline_term": find_headline(
            bridge.netted, bridge.change, bridge.before or bridge.after, bridge.materiality
        ),
        "materiality": bridge.materiality.model_dump(),
        "recovery": None if bridge.recovery is None else vars(bridge.recovery),
        "parts": [vars(part) | {"change": part.change} for part in bridge.parts],
    }
