"""The terms of every line of a bill: those of its price, or of its cost where that is charged.

What the cost of a priced line did is no cause of its charge. It is kept apart (`costs`), for what
became of the recovery: charged minus cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from pipelines.money import ENGINE_DIGITS
from pipelines.rerun.bridge_terms import ROUNDING, TERMS, make_terms
from pipelines.rerun.charge_terms import LineChange, compute_charge_terms, is_at_cost
from pipelines.rerun.netting import net_terms

if TYPE_CHECKING:
    from pipelines.rerun.bill_states import LineKey
    from pipelines.rerun.charge_facts import PeriodFacts

Terms = Mapping["LineKey", Mapping[str, Fraction]]
Amounts = Mapping["LineKey", Decimal]


@dataclass(frozen=True)
class BillTerms:
    """Exact terms in engine units, by line."""

    charges: dict[LineKey, dict[str, Fraction]]
    """Of what stands on the bill; they sum to its change."""
    netted: dict[LineKey, dict[str, Fraction]]
    """The same, after those that cancel each other within a line; see netting.py."""
    costs: dict[LineKey, dict[str, Fraction]]
    """Of the cost of the lines that are charged a price in one of the periods."""
    following_cost: frozenset[LineKey]
    """The lines whose charges have terms of their cost: at cost, and with a mark-up on it."""

    def select_following_cost(self) -> Terms:
        """The terms of the lines that follow their cost."""
        return {line: self.charges[line] for line in self.charges if line in self.following_cost}


@dataclass(frozen=True)
class Recovery:
    """What lines with a price are charged above their cost, then and now.

    `before` + `charged_change` - the sum of `cost_terms` = `after`, to the cent.
    """

    before: Decimal
    after: Decimal
    charged_change: Decimal
    cost_terms: dict[str, Decimal]
    """By the names of TERMS, and `rounding`: they sum to the change of the cost."""
    causes: dict[str, str]


def compute_bill_terms(
    lines: Iterable[LineKey],
    facts: tuple[PeriodFacts, PeriodFacts],
    find_membership: Callable[[LineKey], tuple[bool, bool]],
    compute_cost: Callable[[LineKey, bool, bool], dict[str, Fraction]],
    digits: int,
    *,
    shows_cost: bool,
) -> BillTerms:
    """The terms of `lines`, of which `find_membership` says whether they are in the bill before and
    in the bill now, and `compute_cost` the terms of their cost under that membership."""
    unit = 10 ** (digits + ENGINE_DIGITS)
    charges: dict[LineKey, dict[str, Fraction]] = {}
    costs: dict[LineKey, dict[str, Fraction]] = {}
    following: set[LineKey] = set()
    for line in sorted(lines):
        was, is_in = find_membership(line)
        if not was and not is_in:
            continue
        policies = [item.find_policy(line) for item in facts]
        cost = compute_cost(line, was, is_in)
        if _is_passing(line, cost, facts):
            continue
        charges[line] = cost
        if policies[1].follows_cost:
            following.add(line)
        if any(policy.has_price for policy in policies):
            costs[line] = cost
        if not is_at_cost(policies[0], policies[1], shows_cost=shows_cost):
            whole = cost if was and is_in else compute_cost(line, True, True)
            before, after = (item.find_charge(line) for item in facts)
            change = LineChange(before, after, was, is_in, whole, shows_cost)
            charges[line] = compute_charge_terms(change, unit)
    netted = {line: net_terms(terms) for line, terms in charges.items()}
    return BillTerms(charges, netted, costs, frozenset(following))


def _is_passing(
    line: LineKey, cost: Mapping[str, Fraction], facts: tuple[PeriodFacts, PeriodFacts]
) -> bool:
    """Whether cost of a service with a price is only held on the way from one period to the other,
    because nobody's use was known in one of them: that is on no bill."""
    service, centre = line
    has_price = any(item.has_price(service) for item in facts)
    return has_price and centre.startswith("(") and not sum(cost.values())


def make_recovery(
    terms: BillTerms,
    charged: tuple[Amounts, Amounts],
    costs: tuple[Amounts, Amounts],
    digits: int,
) -> Recovery | None:
    """What became of the recovery of the lines with a price; None where there is no such line.

    `charged` and `costs` are those of the bill before and now.
    """
    if not terms.costs:
        return None
    own = [{line: bill[line] for line in terms.costs if line in bill} for bill in costs]
    nothing = Decimal(0).scaleb(-digits)
    sums = [sum((bill[line] for line in terms.costs if line in bill), nothing) for bill in charged]
    found, before, after = make_terms(terms.costs.values(), own[0], own[1], digits)
    return Recovery(sums[0] - before, sums[1] - after, sums[1] - sums[0], found, {})


def list_cost_terms(recovery: Recovery) -> list[tuple[str, Decimal]]:
    """What the terms of the cost did to the recovery: more cost takes away."""
    names = (*TERMS, ROUNDING)
    return [(name, -recovery.cost_terms[name]) for name in names if recovery.cost_terms[name]]
