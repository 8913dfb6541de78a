"""Why a bill differs from that of another period: the bridge between the two.

The period is run again with the inputs of the other one, and these are swapped for its own, one at
a time, in the order of TERMS. A term is what its swap changes:

- restatement: as restated minus as first reported. Nothing published was ever restated, so 0.00.
- rules: the rules that hold now, on the money and quantities of then.
- organisation: cost centres known now; and of a business unit's bill those that joined or left it.
- pool cost: the ledger lines of now, by the rules of now and the quantities of then.
- volume, rate, mix: the quantities of now, in three parts. With U = what the service costs in all,
  at this point, over all units that are used of it, by services as well as by consumers:
    volume = (units of the consumer now - then) x U
    rate = units now x (the same cost / all units used now - U): others use more or less of it
    mix = the rest: what arrives at the service by drivers on the way there, those of towers and of
    services and those by which shared services pass their cost on.

These terms are of the cost. Where a price is charged, the bill has terms of price x quantity
instead (see charge_terms.py), and those of the cost stand apart, as what became of the recovery.

Where nobody's use was known in one of the two periods, all that the use changes is volume; where
one of the two was split as declared (evenly) and the other by use, it is mix.

Terms are computed on engine units, each line on its own, so that those of a business unit's bill
are the sums of its lines'. How they become cents is said in bridge_terms.py: one term `rounding`
makes them the change of the bills.

Guarantees: the run under swapped keys gives the other period's published figures to the unit, no
swap but that of the money changes the total, and terms and rounding sum to the change; else
ControlError. Another order of the swaps would share out otherwise what acts together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from pipelines.errors import ControlError, UsageError
from pipelines.money import minor_unit_digits
from pipelines.rerun.bill_states import (
    LineKey,
    Split,
    State,
    read_splits,
    read_state,
    read_tagged,
)
from pipelines.rerun.bill_terms import BillTerms, Recovery, compute_bill_terms, make_recovery
from pipelines.rerun.bridge_subject import Subject, Wanted, find_subject
from pipelines.rerun.bridge_terms import ROUNDING, Part, make_parts, make_terms, to_amount
from pipelines.rerun.charge_facts import PeriodFacts, read_facts
from pipelines.rerun.charge_terms import CHARGE_TERMS
from pipelines.rerun.engine import PUBLISHED, Rerun, Scope, open_rerun
from pipelines.rerun.netting import sum_netted
from pipelines.rerun.period_swap import CONSUMER_CELLS, PeriodSwap
from pipelines.rerun.whatif import read_run, require_period

if TYPE_CHECKING:
    from pipelines.workspace.materiality import Materiality
    from pipelines.workspace.workspace import Workspace

RULES_BEFORE, RULES_AFTER = "rules_before", "rules_after"
"""Temp tables: the rules that the other period's money follows, then and now."""


@dataclass(frozen=True)
class States:
    """The bill lines after each swap; those after the last are what is published."""

    start: State
    rules: State
    organisation: State
    money: State
    end: State
    splits_before: dict[str, Split]
    """As they are before the quantities are swapped."""
    splits_after: dict[str, Split]
    tagged_before: dict[LineKey, int]
    tagged_after: dict[LineKey, int]

    @property
    def every(self) -> tuple[State, ...]:
        """In the order of the swaps."""
        return self.start, self.rules, self.organisation, self.money, self.end


@dataclass(frozen=True)
class Bridge:
    """The whole: `before` + terms + rounding = `after`, in the reporting currency."""

    scope: Scope
    against: Scope
    run_id: str
    currency_code: str
    subject: Subject
    before: Decimal
    after: Decimal
    terms: dict[str, Decimal]
    """By the names of CHARGE_TERMS, in their order, then `rounding`."""
    netted: dict[str, Decimal]
    """What is left of each after those that cancel each other inside a line: by this they rank."""
    causes: dict[str, str]
    """For each term a sentence with its largest cause; empty where there is none."""
    parts: list[Part]
    """By service, or by cost centre of one service; empty for a single charge."""
    recovery: Recovery | None
    """Of what is charged at a price; None where nothing is."""
    materiality: Materiality

    @property
    def change(self) -> Decimal:
        return self.after - self.before


def explain_bill(
    workspace: Workspace,
    period_id: str,
    against_period_id: str,
    wanted: Wanted,
    *,
    scenario_id: str = "actual",
    against_scenario_id: str | None = None,
) -> Bridge:
    """Explain the bill of a period against that of another one.

    Raises UsageError where neither period has such a charge or one of them has no figures at all,
    ControlError where the rerun does not tie.
    """
    from pipelines.rerun.bridge_causes import find_causes

    scope = Scope(scenario_id, period_id)
    against = Scope(against_scenario_id or scenario_id, against_period_id)
    if scope == against:
        raise UsageError(f"a bill is explained against another period, found {period_id} twice")
    with open_rerun(workspace, scope) as rerun:
        require_period(rerun)
        swap = PeriodSwap(rerun, against)
        subject = find_subject(rerun.connection, scope, against, wanted)
        states = run_states(rerun, swap)
        splits = (states.splits_before, states.splits_after)
        facts = read_facts(rerun.connection, (against, scope), splits)
        run_id, currency = read_run(rerun)
        digits = minor_unit_digits(currency)
        found = compute_subject_terms(states, facts, subject, digits)
        bills = (subject.before.amounts, subject.after.amounts)
        terms, before, after = make_terms(found.charges.values(), *bills, digits, CHARGE_TERMS)
        parts = []
        if wanted.service_id is None or wanted.cost_centre_id is None:
            place = 0 if wanted.service_id is None else 1
            parts = make_parts(found.charges, bills, terms, subject.part_names, place, digits)
        recovery = make_recovery(found, bills, (subject.before.costs, subject.after.costs), digits)
        bridge = Bridge(
            *(scope, against, run_id, currency, subject, before, after, terms),
            net_bridge(found, after - before, digits),
            {},
            parts,
            recovery,
            workspace.config.materiality,
        )
        causes, cost_causes = find_causes(rerun, swap, states, subject, found, facts, bridge)
        if recovery is not None:
            recovery = replace(recovery, causes=cost_causes)
        return replace(bridge, causes=causes, recovery=recovery)


def compute_subject_terms(
    states: States, facts: tuple[PeriodFacts, PeriodFacts], subject: Subject, digits: int
) -> BillTerms:
    """The terms of every line of the bill; a showback counts with its cost."""
    return compute_bill_terms(
        list_lines(states, facts),
        facts,
        lambda line: (subject.wants_before(line), subject.wants_after(line)),
        lambda line, was, is_in: compute_line(states, line, was, is_in),
        digits,
        shows_cost=True,
    )


def net_bridge(terms: BillTerms, change: Decimal, digits: int) -> dict[str, Decimal]:
    """The netted terms of all lines as money; with `rounding` they sum to the change."""
    sums = sum_netted(terms.netted.values())
    found = {name: to_amount(sums.get(name, Fraction(0)), digits) for name in CHARGE_TERMS}
    return found | {ROUNDING: change - sum(found.values())}


def list_lines(states: States, facts: tuple[PeriodFacts, PeriodFacts]) -> set[LineKey]:
    """Every line that has a cost at some point of the bridge, or a charge."""
    lines = {line for state in states.every for line in state.cells}
    return lines.union(*(item.lines for item in facts))


def run_states(rerun: Rerun, swap: PeriodSwap) -> States:
    """Swap one input after the other. Raises ControlError where a state does not tie."""
    connection, scope = rerun.connection, swap.own

    def run() -> State:
        rerun.run((CONSUMER_CELLS,))
        return read_state(connection, scope)

    swap.start()
    start = run()
    published = read_state(connection, swap.other, f"{PUBLISHED}.")
    _require_equal("the other period run again", start.cells, published.cells)
    swap.remember_rules(RULES_BEFORE)
    # Where nothing differs, a swap would only run the same models on the same rows.
    rules = start
    if swap.has_other_rules():
        swap.take_rules()
        rules = run()
    swap.remember_rules(RULES_AFTER)
    organisation = rules
    if swap.has_other_centres():
        swap.take_organisation()
        organisation = run()
    swap.take_money()
    money = run()
    end = read_state(connection, scope, f"{PUBLISHED}.")
    for name, state, expected in (
        ("rules", rules, start),
        ("organisation", organisation, start),
        ("quantities", money, end),
    ):
        _require_equal(f"the total with {name} swapped", state.total, expected.total)
    return States(
        start,
        rules,
        organisation,
        money,
        end,
        read_splits(connection, scope),
        read_splits(connection, scope, f"{PUBLISHED}."),
        read_tagged(connection, scope),
        read_tagged(connection, scope, f"{PUBLISHED}."),
    )


def compute_terms(states: States, subject: Subject) -> dict[LineKey, dict[str, Fraction]]:
    """The terms of the cost of every line of the bill, in engine units, exact."""
    lines = {line for state in states.every for line in state.cells}
    found = {}
    for line in sorted(lines):
        was, is_in = subject.wants_before(line), subject.wants_after(line)
        if was or is_in:
            found[line] = compute_line(states, line, was, is_in)
    return found


def compute_line(states: States, line: LineKey, was: bool, is_in: bool) -> dict[str, Fraction]:
    """The terms of one line, in engine units: `was` in the bill before, `is_in` the one now."""
    start, rules = (state.amount_of(line) if was else 0 for state in (states.start, states.rules))
    organisation, money, end = (
        state.amount_of(line) if is_in else 0
        for state in (states.organisation, states.money, states.end)
    )
    volume, rate = _split_use(states, line) if is_in else (Fraction(0), Fraction(0))
    return {
        "restatement": Fraction(0),
        "rules": Fraction(rules - start),
        "organisation": Fraction(organisation - rules),
        "pool_cost": Fraction(money - organisation),
        "volume": volume,
        "rate": rate,
        "mix": end - money - volume - rate,
    }


def _split_use(states: States, line: LineKey) -> tuple[Fraction, Fraction]:
    """Volume and rate of a line. See the head of this module."""
    service, centre = line
    before, after = states.splits_before.get(service), states.splits_after.get(service)
    if before is None or after is None:
        return Fraction(0), Fraction(0)
    money = states.money.amount_of(line)
    swapped = states.tagged_before.get(line, 0) + before.find_use_swapped(after, centre)
    effect = swapped - money
    if before.basis != after.basis:
        is_mix = "declared" in (before.basis, after.basis)
        return Fraction(0) if is_mix else effect, Fraction(0)
    if before.unit_cost is None:
        return effect, Fraction(0)
    volume = (after.weight_of(centre) - before.weight_of(centre)) * before.unit_cost
    return volume, effect - volume


def _require_equal(what: str, found: object, expected: object) -> None:
    if found == expected:
        return
    if isinstance(found, dict) and isinstance(expected, dict):
        every = sorted(found.keys() | expected.keys())
        key = next(key for key in every if found.get(key) != expected.get(key))
        found, expected = found.get(key), f"{expected.get(key)} for {key}"
    raise ControlError(
        f"the bridge does not tie: {what} expected {expected}, found {found} engine units. This is "
        "a defect, please report it; what is published is not touched."
    )
