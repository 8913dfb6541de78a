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

Where nobody's use was known in one of the two periods, all that the use changes is volume; where
one of the two was split as declared (evenly) and the other by use, it is mix.

Terms are computed on engine units, each line on its own, so that those of a business unit's bill
are the sums of its lines'. They become cents once, each rounded half away from zero; bills were
rounded line by line, and one row `rounding` makes the terms the difference of the bills.

Guarantees: the run under swapped keys gives the other period's published figures to the unit, no
swap but that of the money changes the total, and terms and rounding sum to the change; else
ControlError. Another order of the swaps would share out otherwise what acts together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from pipelines.errors import ControlError, UsageError
from pipelines.money import ENGINE_DIGITS, minor_unit_digits
from pipelines.rerun.bill_states import (
    LineKey,
    Split,
    State,
    read_splits,
    read_state,
    read_tagged,
)
from pipelines.rerun.engine import PUBLISHED, Rerun, Scope, open_rerun
from pipelines.rerun.period_swap import CONSUMER_CELLS, PeriodSwap
from pipelines.rerun.whatif import read_run, require_period

if TYPE_CHECKING:
    import duckdb

    from pipelines.workspace.workspace import Workspace

TERMS = ("restatement", "rules", "organisation", "pool_cost", "volume", "rate", "mix")
"""In the order of the swaps."""
ROUNDING = "rounding"
RULES_BEFORE, RULES_AFTER = "rules_before", "rules_after"
"""Temp tables: the rules that the other period's money follows, then and now."""


@dataclass(frozen=True)
class Wanted:
    """The bill to explain: a charge, all of a service, or all of a cost centre or business unit."""

    service_id: str | None = None
    cost_centre_id: str | None = None
    business_unit_id: str | None = None


@dataclass(frozen=True)
class Subject:
    """The same with names, and which lines it is in each of the two periods."""

    wanted: Wanted
    service_name: str
    consumer_name: str
    """Of the cost centre or business unit; empty for a whole service."""
    is_shown_only: bool
    """Whether it is a showback: cost that is shown to the consumer and not charged."""
    members_before: frozenset[str] | None
    """Cost centres of the business unit; None where it does not matter."""
    members_after: frozenset[str] | None

    def wants_before(self, line: LineKey) -> bool:
        return self._wants(line, self.members_before)

    def wants_after(self, line: LineKey) -> bool:
        return self._wants(line, self.members_after)

    def _wants(self, line: LineKey, members: frozenset[str] | None) -> bool:
        service, centre = line
        wanted = self.wanted
        return (
            (wanted.service_id is None or wanted.service_id == service)
            and (wanted.cost_centre_id is None or wanted.cost_centre_id == centre)
            and (members is None or centre in members)
        )


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


@dataclass(frozen=True)
class Part:
    """A service of a consumer's bill or a consumer of a service, with its own terms."""

    part_id: str
    name: str
    before: Decimal
    after: Decimal
    terms: dict[str, Decimal]
    """With `rounding`; they sum to the change."""

    @property
    def change(self) -> Decimal:
        return self.after - self.before


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
    """By the names of TERMS, in their order, and `rounding`."""
    causes: dict[str, str]
    """For each term a sentence with its largest cause; empty where there is none."""
    parts: list[Part]
    """Empty for a single charge."""
    has_before: bool
    """Whether there was such a charge in the other period."""
    has_after: bool

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
        lines = compute_terms(states, subject)
        run_id, currency = read_run(rerun)
        digits = minor_unit_digits(currency)
        bills = (
            _read_bill(rerun.connection, against, subject.wants_before),
            _read_bill(rerun.connection, scope, subject.wants_after),
        )
        terms, before, after = make_terms(lines.values(), *bills, digits)
        names = _read_part_names(rerun.connection, (against, scope), wanted)
        bridge = Bridge(
            scope=scope,
            against=against,
            run_id=run_id,
            currency_code=currency,
            subject=subject,
            before=before,
            after=after,
            terms=terms,
            causes={},
            parts=make_parts(lines, bills, terms, names, wanted, digits),
            has_before=bool(bills[0]),
            has_after=bool(bills[1]),
        )
        return replace(bridge, causes=find_causes(rerun, swap, states, subject, lines, bridge))


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
    """The terms of every line of the bill, in engine units, exact."""
    every = (states.start, states.rules, states.organisation, states.money, states.end)
    lines = {line for state in every for line in state.cells}
    found = {}
    for line in sorted(lines):
        was, is_in = subject.wants_before(line), subject.wants_after(line)
        if was or is_in:
            found[line] = _compute_line(states, line, was, is_in)
    return found


def _compute_line(states: States, line: LineKey, was: bool, is_in: bool) -> dict[str, Fraction]:
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


def make_terms(
    lines: Iterable[Mapping[str, Fraction]],
    before: Mapping[LineKey, Decimal],
    after: Mapping[LineKey, Decimal],
    digits: int,
) -> tuple[dict[str, Decimal], Decimal, Decimal]:
    """Terms in the currency with their rounding, and the two bills."""
    sums: dict[str, Fraction] = defaultdict(Fraction)
    for line in lines:
        for term, units in line.items():
            sums[term] += units
    old, new = (sum(bill.values(), Decimal(0).scaleb(-digits)) for bill in (before, after))
    terms = {term: to_amount(sums[term], digits) for term in TERMS}
    terms[ROUNDING] = new - old - sum(terms.values())
    # A bill line is less than two minor units away from its engine units, a term half of one.
    most = Decimal(2 * (len(before) + len(after)) + len(TERMS)).scaleb(-digits)
    if abs(terms[ROUNDING]) > most:
        raise ControlError(
            f"the terms of the bridge do not tie: expected {new - old} up to a rounding of "
            f"{most}, found {terms[ROUNDING]} more. This is a defect, please report it."
        )
    return terms, old, new


def to_amount(units: Fraction, digits: int) -> Decimal:
    """Engine units as an amount, rounded half away from zero to the minor unit."""
    minor = abs(units) / 10**ENGINE_DIGITS
    whole = (2 * minor.numerator + minor.denominator) // (2 * minor.denominator)
    return Decimal(whole if units >= 0 else -whole).scaleb(-digits)


def make_parts(
    lines: Mapping[LineKey, Mapping[str, Fraction]],
    bills: tuple[Mapping[LineKey, Decimal], Mapping[LineKey, Decimal]],
    terms: Mapping[str, Decimal],
    names: Mapping[str, str],
    wanted: Wanted,
    digits: int,
) -> list[Part]:
    """The terms by service, or of one service by cost centre; they sum to `terms` to the cent."""
    if wanted.service_id is not None and wanted.cost_centre_id is not None:
        return []
    place = 0 if wanted.service_id is None else 1
    units: dict[str, dict[str, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    for line, own in lines.items():
        for term, amount in own.items():
            units[line[place]][term] += amount
    old, new = (_sum_by(bill, place, digits) for bill in bills)
    ids = sorted(units.keys() | old.keys() | new.keys())
    shares = {
        term: _share_out([units[item][term] for item in ids], terms[term], digits) for term in TERMS
    }
    nothing = Decimal(0).scaleb(-digits)
    parts = []
    for number, item in enumerate(ids):
        before, after = old.get(item, nothing), new.get(item, nothing)
        own_terms = {term: shares[term][number] for term in TERMS}
        own_terms[ROUNDING] = after - before - sum(own_terms.values())
        if before or after or any(own_terms.values()):
            parts.append(Part(item, names.get(item, item), before, after, own_terms))
    return sorted(parts, key=lambda part: (-abs(part.change), part.part_id))


def _share_out(units: list[Fraction], total: Decimal, digits: int) -> list[Decimal]:
    """Round down, and hand the minor units that are open to those that lost most."""
    minor = [amount / 10**ENGINE_DIGITS for amount in units]
    floors = [amount.numerator // amount.denominator for amount in minor]
    open_units = int(total.scaleb(digits)) - sum(floors)
    order = sorted(range(len(units)), key=lambda item: (floors[item] - minor[item], item))
    for item in order[:open_units]:
        floors[item] += 1
    return [Decimal(amount).scaleb(-digits) for amount in floors]


def _sum_by(bill: Mapping[LineKey, Decimal], place: int, digits: int) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(lambda: Decimal(0).scaleb(-digits))
    for line, amount in bill.items():
        sums[line[place]] += amount
    return sums


def find_subject(
    connection: duckdb.DuckDBPyConnection, scope: Scope, against: Scope, wanted: Wanted
) -> Subject:
    """Names and members of what is wanted. Raises UsageError where it is in neither period."""
    if wanted == Wanted():
        raise UsageError(
            "expected the bill to explain: --service, --cost-centre or --business-unit, or a "
            "service together with one of the two"
        )
    if wanted.cost_centre_id is not None and wanted.business_unit_id is not None:
        raise UsageError("--cost-centre and --business-unit exclude each other")
    members = [
        None
        if wanted.business_unit_id is None
        else _read_members(connection, item.period_id, wanted.business_unit_id)
        for item in (against, scope)
    ]
    subject = Subject(wanted, "", "", False, *members)
    rows = [
        row
        for item, wants in ((against, subject.wants_before), (scope, subject.wants_after))
        for row in _read_charges(connection, item)
        if wants((row[0], row[2]))
    ]
    if not rows:
        raise UsageError(_describe_absence(connection, scope, against, wanted))
    last = rows[-1]
    return replace(
        subject,
        service_name=last[1] if wanted.service_id is not None else "",
        consumer_name=last[3]
        if wanted.cost_centre_id is not None
        else (last[4] if wanted.business_unit_id is not None else ""),
        is_shown_only=all(row[6] == "showback" for row in rows),
    )


def _read_charges(
    connection: duckdb.DuckDBPyConnection, scope: Scope
) -> list[tuple[str, str, str, str, str, Decimal, str]]:
    """(service, its name, cost centre, its name, name of its business unit, cost, policy)."""
    return connection.execute(
        "select service_id, service_name, cost_centre_id, cost_centre_name, business_unit_name, "
        f"cost_amount, charging_policy from {PUBLISHED}.marts.fct_charges_monthly "
        f"where {scope.as_condition()} order by all"
    ).fetchall()


def _read_bill(
    connection: duckdb.DuckDBPyConnection, scope: Scope, wants: Callable[[LineKey], bool]
) -> dict[LineKey, Decimal]:
    """Published cost by line."""
    bill: dict[LineKey, Decimal] = {}
    for service, _, centre, _, _, cost, _ in _read_charges(connection, scope):
        line = (service, centre)
        if wants(line):
            bill[line] = bill.get(line, Decimal(0)) + cost
    return bill


def _read_members(
    connection: duckdb.DuckDBPyConnection, period_id: str, business_unit_id: str
) -> frozenset[str]:
    """Cost centres of a business unit as fct_charges_monthly sees them in a period."""
    rows = connection.execute(
        f"select centres.cost_centre_id, centres.business_unit_id from "
        f"{PUBLISHED}.marts.dim_cost_centres as centres "
        f"inner join {PUBLISHED}.model.periods as periods on periods.period_id = ? "
        "and centres.valid_from < periods.period_end "
        "and (centres.valid_to is null or centres.valid_to > periods.period_start) "
        "qualify row_number() over ("
        "partition by centres.cost_centre_id order by centres.valid_from) = 1",
        [period_id],
    ).fetchall()
    return frozenset(centre for centre, unit in rows if unit == business_unit_id)


def _read_part_names(
    connection: duckdb.DuckDBPyConnection, scopes: Iterable[Scope], wanted: Wanted
) -> dict[str, str]:
    first = 0 if wanted.service_id is None else 2
    return {
        row[first]: row[first + 1] for scope in scopes for row in _read_charges(connection, scope)
    }


def _describe_absence(
    connection: duckdb.DuckDBPyConnection, scope: Scope, against: Scope, wanted: Wanted
) -> str:
    rows = [row for item in (against, scope) for row in _read_charges(connection, item)]
    texts = [
        f"{option} '{value}'"
        for option, value in (
            ("--service", wanted.service_id),
            ("--cost-centre", wanted.cost_centre_id),
            ("--business-unit", wanted.business_unit_id),
        )
        if value is not None
    ]
    message = f"no charge of {' and '.join(texts)} in {against.period_id} or {scope.period_id}"
    if wanted.service_id is not None and not any(row[0] == wanted.service_id for row in rows):
        return f"{message}: services are {', '.join(sorted({row[0] for row in rows}))}"
    if wanted.business_unit_id is not None:
        units = connection.execute(
            f"select distinct business_unit_id from {PUBLISHED}.marts.dim_cost_centres order by all"
        ).fetchall()
        return f"{message}: business units are {', '.join(unit for (unit,) in units)}"
    centres = sorted({row[2] for row in rows if wanted.service_id in (None, row[0])})
    return f"{message}: consumers are {', '.join(centres)}"


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
