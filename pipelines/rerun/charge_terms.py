"""Why one charge changed, in the terms of what it is charged by. Pure functions on exact numbers.

A charge at a price has nothing to do with its cost, so that terms of the cost explain nothing of
it. Its terms are those of price x quantity, in this order:

- organisation: the charge of then of a consumer that joined or left the business unit;
- policy: the use (or the cost) of then, charged by the policy of now instead of that of then;
- volume: units now - then, at the average price that a unit had then;
- tiers: what the average price off peak changes because another quantity reaches other tiers;
- peak: what it changes because another part of the use is at peak;
- price: the use of now at the prices of now instead of those of then;
- base_fee: base fees and agreed amounts, now - then, with those of who came or went;
- bounds: what the minimum adds and the maximum takes away, now - then.

Whoever used nothing then has no average price: all that the new use comes to at the prices of then
is volume. A share of an agreed amount has a volume (the own units, at what a unit of all bore
then), a rate (others use more or less) and a base fee (another amount was agreed). `cost_plus`
follows the cost: it has the terms of the cost, the mark-up on what they add (`mark_up`), and as its
price another percentage. What is charged at cost has the terms of the cost alone.

Amounts are fractions of the currency; terms come back in engine units.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from pipelines.rerun.bridge_terms import TERMS
from pipelines.warehouse.audit_prices import PriceParts, PriceTerms, split_price

PRICE_TERMS = ("policy", "price", "tiers", "peak", "base_fee", "bounds", "mark_up")
"""What is no term of a cost, in the order in which it is shown."""
CHARGE_TERMS = (*TERMS, *PRICE_TERMS)

AT_COST, SHOWBACK = "at_cost", "showback"
BY_QUANTITY = ("rate", "market")
NOTHING = PriceParts(Fraction(0), Fraction(0), Fraction(0))


@dataclass(frozen=True)
class Policy:
    """At what a service is charged in a period; `card` only where it has a price."""

    kind: str = AT_COST
    percent: Decimal | None = None
    fixed_amount: Decimal | None = None
    fixed_per: str | None = None
    card: PriceTerms | None = None

    @property
    def key(self) -> tuple[str, str | None]:
        """Another key is another policy; another price or percentage is not."""
        return self.kind, self.fixed_per

    @property
    def has_price(self) -> bool:
        """Whether the charge is another amount than the cost."""
        return self.kind not in (AT_COST, SHOWBACK)

    @property
    def follows_cost(self) -> bool:
        """Whether more cost is a larger charge, or a larger amount that is shown."""
        return self.kind in (AT_COST, SHOWBACK, "cost_plus")


@dataclass(frozen=True)
class Charge:
    """A charge line in one period. One that is not there (`exists`) is charged nothing."""

    policy: Policy
    exists: bool = False
    cost: Decimal = Decimal(0)
    quantity: Decimal = Decimal(0)
    peak: Fraction = Fraction(0)
    """Of the quantity, what was used at peak."""
    weight: Fraction = Fraction(0)
    """Its part of an agreed amount, of `total_weight`."""
    total_weight: Fraction = Fraction(0)


@dataclass(frozen=True)
class LineChange:
    """A charge line in both periods: `was` in the bill of then, `is_in` that of now."""

    before: Charge
    after: Charge
    was: bool
    is_in: bool
    cost_terms: Mapping[str, Fraction]
    """Of its cost, in engine units."""
    shows_cost: bool
    """Whether a showback counts with its cost, or, as on a bill, with nothing."""


def is_at_cost(before: Policy, after: Policy, *, shows_cost: bool) -> bool:
    """Whether the bill of a line is its cost in both periods."""
    kinds = {AT_COST, SHOWBACK} if shows_cost else {AT_COST}
    return {before.kind, after.kind} <= kinds


def compute_charge_terms(change: LineChange, unit: int) -> dict[str, Fraction]:
    """The terms of a charge by the names of CHARGE_TERMS; `unit`: engine units of one currency."""
    found = dict.fromkeys(CHARGE_TERMS, Fraction(0))
    before, after = change.before, change.after
    start = charge_by(before.policy, before, shows_cost=change.shows_cost) * unit
    if change.was != change.is_in:
        found["organisation"] = -start if change.was else start
    if not change.is_in:
        return found
    policy = before.policy
    if policy.key != after.policy.key:
        policy = after.policy
        found["policy"] = charge_by(policy, before, shows_cost=change.shows_cost) * unit - start
    terms = _find_terms(policy, change)
    for name, amount in terms.items():
        found[name] += amount * unit
    if after.policy.follows_cost and (after.policy.kind != SHOWBACK or change.shows_cost):
        for name, amount in change.cost_terms.items():
            found[name] += amount
    return found


def charge_by(policy: Policy, charge: Charge, *, shows_cost: bool) -> Fraction:
    """What the facts of a line come to under a policy, exactly."""
    if not charge.exists:
        return Fraction(0)
    if policy.kind == AT_COST or (policy.kind == SHOWBACK and shows_cost):
        return Fraction(charge.cost)
    if policy.kind == SHOWBACK:
        return Fraction(0)
    if policy.kind == "cost_plus":
        return Fraction(charge.cost) * (1 + _percent_of(policy))
    if policy.kind == "fixed":
        return _share_fixed(policy, charge)
    return _split(policy.card, charge).total


def _find_terms(policy: Policy, change: LineChange) -> dict[str, Fraction]:
    """From the facts of then under `policy` to those of now under the policy of now, which is of
    the same kind; terms of the cost besides."""
    before, after = change.before, change.after
    if policy.kind in BY_QUANTITY:
        return _compare_quantities(policy.card or after.policy.card, before, after)
    if policy.kind == "cost_plus":
        old, new = (Fraction(item.cost) if item.exists else Fraction(0) for item in (before, after))
        was, becomes = _percent_of(policy), _percent_of(after.policy)
        return {"mark_up": was * (new - old), "price": (becomes - was) * new}
    if policy.kind == "fixed" and policy.fixed_per == "period":
        return _compare_shares(policy, before, after)
    if policy.kind == "fixed":
        fees = (_share_fixed(policy, before), _share_fixed(after.policy, after))
        return {"base_fee": fees[1] - fees[0]}
    return {}


def _compare_quantities(
    card: PriceTerms | None, before: Charge, after: Charge
) -> dict[str, Fraction]:
    """`card`: the prices of then, or those of now where there were none."""
    old, swapped = _split(card, before), _split(card, after)
    new = _split(after.policy.card or card, after)
    volume, tiers, peak = swapped.units - old.units, Fraction(0), Fraction(0)
    used = Fraction(before.quantity)
    if used and before.exists and after.exists and after.quantity:
        growth = Fraction(after.quantity) / used
        scaled = _split(card, before, growth)
        volume = old.units * (growth - 1)
        tiers = scaled.units - old.units * growth
        peak = swapped.units - scaled.units
    return {
        "volume": volume,
        "tiers": tiers,
        "peak": peak,
        "price": new.units - swapped.units,
        "base_fee": new.base_fee - old.base_fee,
        "bounds": new.bounds - old.bounds,
    }


def _compare_shares(policy: Policy, before: Charge, after: Charge) -> dict[str, Fraction]:
    """Of an agreed amount of all together."""
    amount = Fraction(policy.fixed_amount or 0)
    old, new = _share_of(before), _share_of(after)
    volume = amount * (new - old)
    if before.total_weight and after.total_weight:
        volume = amount * Fraction(after.weight - before.weight, before.total_weight)
    return {
        "volume": volume,
        "rate": amount * (new - old) - volume,
        "base_fee": (Fraction(after.policy.fixed_amount or 0) - amount) * new,
    }


def _share_fixed(policy: Policy, charge: Charge) -> Fraction:
    amount = Fraction(policy.fixed_amount or 0)
    if policy.fixed_per == "period":
        return amount * _share_of(charge)
    return amount if charge.exists else Fraction(0)


def _share_of(charge: Charge) -> Fraction:
    if not charge.exists or not charge.total_weight:
        return Fraction(0)
    return Fraction(charge.weight, charge.total_weight)


def _percent_of(policy: Policy) -> Fraction:
    return Fraction(policy.percent or 0) / 100


def _split(card: PriceTerms | None, charge: Charge, growth: Fraction = Fraction(1)) -> PriceParts:
    if card is None or not charge.exists:
        return NOTHING
    return split_price(card, Fraction(charge.quantity) * growth, charge.peak * growth)
