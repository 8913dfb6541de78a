"""Why the bills of all business units changed: every bridge of a period out of one rerun.

`explain_bill` reruns the flow for one bill. The states of the rerun hold the lines of all bills,
so that the bridges of all business units cost one rerun and not one each. A unit has the cost
centres of the time: those of then before, those of now after.

What is explained is what is charged: by the terms of its price where it has one (charge_terms.py),
else by those of its cost. What becomes of a service that was shown and is charged now is a term of
the policy. Services that are shown in both periods have no part in it.

Guarantees: for each unit and for each of its services, before + terms = after, to the cent.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from pipelines.errors import UsageError
from pipelines.money import minor_unit_digits
from pipelines.rerun.bill_terms import BillTerms, Recovery, compute_bill_terms, make_recovery
from pipelines.rerun.bridge_subject import CHARGES, read_units
from pipelines.rerun.bridge_terms import ROUNDING, make_parts, make_terms, to_amount
from pipelines.rerun.charge_facts import PeriodFacts, read_facts
from pipelines.rerun.charge_terms import CHARGE_TERMS, SHOWBACK
from pipelines.rerun.engine import Scope, open_rerun
from pipelines.rerun.explain import States, compute_line, list_lines, run_states
from pipelines.rerun.netting import sum_netted
from pipelines.rerun.period_swap import PeriodSwap
from pipelines.rerun.whatif import read_run, require_period

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import duckdb

    from pipelines.rerun.bill_states import LineKey
    from pipelines.rerun.engine import Rerun
    from pipelines.workspace.workspace import Workspace

UNIT_TERMS = (*CHARGE_TERMS, ROUNDING)
"""In the order in which they are shown."""


@dataclass(frozen=True)
class ServiceBridge:
    """What a unit is charged for a service, before and after, and the terms between."""

    service_id: str
    service_name: str
    before: Decimal
    after: Decimal
    terms: dict[str, Decimal]
    """By the names of UNIT_TERMS, in their order; they sum to the change."""
    netted: dict[str, Decimal]
    """What is left of each after those that cancel each other inside a line: by this they rank."""


@dataclass(frozen=True)
class UnitBridge:
    """The same for a business unit. `services`: the largest change first."""

    business_unit_id: str
    before: Decimal
    after: Decimal
    terms: dict[str, Decimal]
    services: tuple[ServiceBridge, ...]
    recovery: Recovery | None = None
    """Of what it is charged at a price; None where nothing is."""


@dataclass(frozen=True)
class UnitInputs:
    """What the bridges of all units are made of; pairs are of the period before and of now."""

    states: States
    facts: tuple[PeriodFacts, PeriodFacts]
    units: tuple[Mapping[str, str], Mapping[str, str]]
    """Business unit by cost centre."""
    names: Mapping[str, str]
    """Of services."""
    digits: int


def explain_units(
    workspace: Workspace, period_id: str, against_period_id: str, *, scenario_id: str = "actual"
) -> dict[str, UnitBridge]:
    """The bridge of every business unit with a charge in one of the periods, by its id.

    Raises UsageError where one of them has no figures, ControlError where the rerun does not tie or
    what is published cannot be run again.
    """
    scope, against = Scope(scenario_id, period_id), Scope(scenario_id, against_period_id)
    if scope == against:
        raise UsageError(f"bills are explained against another period, found {period_id} twice")
    with open_rerun(workspace, scope) as rerun:
        require_period(rerun)
        return make_unit_bridges(read_inputs(rerun, PeriodSwap(rerun, against)))


def read_inputs(rerun: Rerun, swap: PeriodSwap) -> UnitInputs:
    """Run the period with the inputs of the other one, and read what both are charged by."""
    connection, scopes = rerun.connection, (swap.other, swap.own)
    states = run_states(rerun, swap)
    facts = read_facts(connection, scopes, (states.splits_before, states.splits_after))
    units = (
        read_units(connection, scopes[0].period_id),
        read_units(connection, scopes[1].period_id),
    )
    names = read_names(connection, scopes)
    _, currency = read_run(rerun)
    return UnitInputs(states, facts, units, names, minor_unit_digits(currency))


def make_unit_bridges(inputs: UnitInputs) -> dict[str, UnitBridge]:
    """The bridges, by business unit."""
    lines_of: dict[str, set[LineKey]] = defaultdict(set)
    for line in list_lines(inputs.states, inputs.facts):
        # What is shown in both periods is on no bill.
        if any(item.find_policy(line).kind != SHOWBACK for item in inputs.facts):
            for unit in {part.get(line[1]) for part in inputs.units} - {None}:
                lines_of[str(unit)].add(line)
    found = {unit: _make_bridge(unit, lines, inputs) for unit, lines in sorted(lines_of.items())}
    return {unit: bridge for unit, bridge in found.items() if bridge.services}


def _make_bridge(unit: str, lines: Iterable[LineKey], inputs: UnitInputs) -> UnitBridge:
    digits, states = inputs.digits, inputs.states

    def find_membership(line: LineKey) -> tuple[bool, bool]:
        was, is_in = (part.get(line[1]) == unit for part in inputs.units)
        return was, is_in

    terms = compute_bill_terms(
        lines,
        inputs.facts,
        find_membership,
        lambda line, was, is_in: compute_line(states, line, was, is_in),
        digits,
        shows_cost=False,
    )
    charged = _read_lines(inputs, terms, find_membership, "charged")
    costs = _read_lines(inputs, terms, find_membership, "cost")
    sums, before, after = make_terms(terms.charges.values(), *charged, digits, CHARGE_TERMS)
    netted = _net_services(terms)
    parts = make_parts(terms.charges, charged, sums, inputs.names, 0, digits)
    services = tuple(
        ServiceBridge(
            part.part_id,
            part.name,
            part.before,
            part.after,
            {term: part.terms[term] for term in UNIT_TERMS},
            {
                term: to_amount(netted[part.part_id].get(term, Fraction(0)), digits)
                for term in CHARGE_TERMS
            },
        )
        for part in parts
    )
    recovery = make_recovery(terms, charged, costs, digits)
    ordered = {term: sums[term] for term in UNIT_TERMS}
    return UnitBridge(unit, before, after, ordered, services, recovery)


def _read_lines(
    inputs: UnitInputs,
    terms: BillTerms,
    find_membership: Callable[[LineKey], tuple[bool, bool]],
    column: Literal["cost", "charged"],
) -> tuple[dict[LineKey, Decimal], dict[LineKey, Decimal]]:
    """The cost or the charge of the unit's lines, before and now."""
    before, after = (
        {
            line: getattr(facts.lines[line], column)
            for line in terms.charges
            if line in facts.lines and find_membership(line)[place]
        }
        for place, facts in enumerate(inputs.facts)
    )
    return before, after


def _net_services(terms: BillTerms) -> dict[str, dict[str, Fraction]]:
    by_service: dict[str, list[dict[str, Fraction]]] = defaultdict(list)
    for (service, _), own in terms.netted.items():
        by_service[service].append(own)
    return {service: sum_netted(own) for service, own in by_service.items()}


def read_names(connection: duckdb.DuckDBPyConnection, scopes: Iterable[Scope]) -> dict[str, str]:
    """Names of the services of both periods, those of the later one first choice."""
    names: dict[str, str] = {}
    for scope in scopes:
        names |= dict(
            connection.execute(
                f"select service_id, max(service_name) from {CHARGES} "
                f"where {scope.as_condition()} group by all order by all"
            ).fetchall()
        )
    return names
