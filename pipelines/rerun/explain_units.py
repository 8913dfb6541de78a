"""Why the bills of all business units changed: every bridge of a period out of one rerun.

`explain_bill` reruns the flow for one bill. The states of the rerun hold the lines of all bills,
so that the bridges of all business units cost one rerun and not one each. A unit has the cost
centres of the time: those of then before, those of now after.

What is explained is what is charged. Terms are of the cost, as everywhere (see explain.py); what a
charge differs from its cost by, in the one period and in the other, makes one term more, `price`:
0.00 where all is charged at cost, and all of a charge where a service that was shown is charged
now. Services that are shown in both periods have no part in it.

Guarantees: for each unit and for each of its services, before + terms = after, to the cent.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.errors import UsageError
from pipelines.money import minor_unit_digits
from pipelines.rerun.bridge_subject import CHARGES, read_units
from pipelines.rerun.bridge_terms import ROUNDING, TERMS, make_parts, make_terms
from pipelines.rerun.engine import Scope, open_rerun
from pipelines.rerun.explain import States, compute_line, run_states
from pipelines.rerun.period_swap import PeriodSwap
from pipelines.rerun.whatif import read_run, require_period

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import duckdb

    from pipelines.rerun.bill_states import LineKey
    from pipelines.workspace.workspace import Workspace

PRICE = "price"
UNIT_TERMS = (*TERMS, PRICE, ROUNDING)
"""In the order in which they are shown."""
SHOWBACK = "showback"


@dataclass(frozen=True)
class ServiceBridge:
    """What a unit is charged for a service, before and after, and the terms between."""

    service_id: str
    service_name: str
    before: Decimal
    after: Decimal
    terms: dict[str, Decimal]
    """By the names of UNIT_TERMS, in their order; they sum to the change."""


@dataclass(frozen=True)
class UnitBridge:
    """The same for a business unit. `services`: the largest change first."""

    business_unit_id: str
    before: Decimal
    after: Decimal
    terms: dict[str, Decimal]
    services: tuple[ServiceBridge, ...]


@dataclass(frozen=True)
class PeriodCharges:
    """The charge lines of a period: cost and charge by line, policies and names of services."""

    costs: dict[LineKey, Decimal]
    charged: dict[LineKey, Decimal]
    names: dict[str, str]
    shown: frozenset[str]
    """Services of which nothing is charged."""


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
        swap = PeriodSwap(rerun, against)
        states = run_states(rerun, swap)
        connection = rerun.connection
        bills = (read_charges(connection, against), read_charges(connection, scope))
        units = (read_units(connection, against_period_id), read_units(connection, period_id))
        _, currency = read_run(rerun)
    return make_unit_bridges(states, bills, units, minor_unit_digits(currency))


def make_unit_bridges(
    states: States,
    bills: tuple[PeriodCharges, PeriodCharges],
    units: tuple[Mapping[str, str], Mapping[str, str]],
    digits: int,
) -> dict[str, UnitBridge]:
    """The bridges; `bills` and `units` (by cost centre) are those of before and after."""
    lines_of: dict[str, set[LineKey]] = defaultdict(set)
    for line in _list_lines(states):
        if _is_charged(line[0], bills):
            for unit in {part.get(line[1]) for part in units} - {None}:
                lines_of[str(unit)].add(line)
    return {
        unit: _make_bridge(unit, sorted(lines), states, bills, units, digits)
        for unit, lines in sorted(lines_of.items())
    }


def _list_lines(states: States) -> set[LineKey]:
    every = (states.start, states.rules, states.organisation, states.money, states.end)
    return {line for state in every for line in state.cells}


def _is_charged(service_id: str, bills: Iterable[PeriodCharges]) -> bool:
    """Whether the service is charged in one of the periods, and not shown in both."""
    return any(service_id in bill.names and service_id not in bill.shown for bill in bills)


def _make_bridge(
    unit: str,
    lines: list[LineKey],
    states: States,
    bills: tuple[PeriodCharges, PeriodCharges],
    units: tuple[Mapping[str, str], Mapping[str, str]],
    digits: int,
) -> UnitBridge:
    is_in = [{line for line in lines if part.get(line[1]) == unit} for part in units]
    terms_of = {
        line: compute_line(states, line, line in is_in[0], line in is_in[1]) for line in lines
    }
    costs = tuple(
        {line: bill.costs[line] for line in own if line in bill.costs}
        for bill, own in zip(bills, is_in, strict=True)
    )
    names = bills[0].names | bills[1].names
    terms, _, _ = make_terms(terms_of.values(), costs[0], costs[1], digits)
    parts = make_parts(terms_of, (costs[0], costs[1]), terms, names, 0, digits)
    before, after = (
        _sum_by_service(bill.charged, own, digits) for bill, own in zip(bills, is_in, strict=True)
    )
    nothing = Decimal(0).scaleb(-digits)
    services = []
    for part in parts:
        old, new = (charged.get(part.part_id, nothing) for charged in (before, after))
        found = part.terms | {PRICE: (new - old) - part.change}
        ordered = {term: found[term] for term in UNIT_TERMS}
        services.append(ServiceBridge(part.part_id, part.name, old, new, ordered))
    return UnitBridge(
        unit,
        sum((item.before for item in services), nothing),
        sum((item.after for item in services), nothing),
        {term: sum((item.terms[term] for item in services), nothing) for term in UNIT_TERMS},
        tuple(services),
    )


def _sum_by_service(
    charged: Mapping[LineKey, Decimal], lines: Iterable[LineKey], digits: int
) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(lambda: Decimal(0).scaleb(-digits))
    for line in lines:
        if line in charged:
            sums[line[0]] += charged[line]
    return dict(sums)


def read_charges(connection: duckdb.DuckDBPyConnection, scope: Scope) -> PeriodCharges:
    rows = connection.execute(
        "select service_id, cost_centre_id, max(service_name), sum(cost_amount), "
        f"sum(charged_amount), bool_and(charging_policy = '{SHOWBACK}') "
        f"from {CHARGES} where {scope.as_condition()} and disposition = 'allocated' "
        "group by all order by all"
    ).fetchall()
    charged = {service for service, _, _, _, _, is_shown in rows if not is_shown}
    return PeriodCharges(
        {(service, centre): cost for service, centre, _, cost, _, _ in rows},
        {(service, centre): amount for service, centre, _, _, amount, _ in rows},
        {row[0]: row[2] for row in rows},
        frozenset({row[0] for row in rows} - charged),
    )
