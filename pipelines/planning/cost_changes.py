"""What a service costs more or less than before: because there is more cost, or by other shares.

The cost of a service is made of parts, one per tower and cost pool, each a share of what that pool
costs in that tower in all. Between two periods a part changes because the whole changed (the cost,
which is real) and because the share did (the drivers, which only move cost between services). With
w the whole and p the part, and a prime for after:

    cost = p x (w' / w - 1)      drivers = p' - p x w' / w

A part of a whole that was zero, or is zero now, is cost: no share says anything of it. Over all
services the driver terms of one tower and pool sum to zero, so that what drivers add to one service
they take from others.

Exact: fractions, made cents once, by which the drivers have the change less the cost.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from pipelines.rerun.bridge_terms import to_amount

Part = tuple[str, str, str, Decimal, Decimal]
"""Service, tower, pool; its amount before and after."""
CENTS = 2
UNITS = 10**8
"""Engine units of an amount with two decimals."""


@dataclass(frozen=True)
class CostChange:
    """The change of what a service costs; the two sum to it."""

    cost: Decimal
    drivers: Decimal


def split_changes(parts: Iterable[Part]) -> dict[str, CostChange]:
    """By service. `parts` are those of all services, without which no whole is known."""
    rows = list(parts)
    wholes: dict[tuple[str, str], list[Fraction]] = defaultdict(lambda: [Fraction(0), Fraction(0)])
    for _, tower, pool, before, after in rows:
        wholes[tower, pool][0] += Fraction(before)
        wholes[tower, pool][1] += Fraction(after)
    costs: dict[str, Fraction] = defaultdict(Fraction)
    changes: dict[str, Fraction] = defaultdict(Fraction)
    for service, tower, pool, before, after in rows:
        changes[service] += Fraction(after) - Fraction(before)
        costs[service] += _find_cost(Fraction(before), Fraction(after), wholes[tower, pool])
    return _round(costs, changes)


def _find_cost(before: Fraction, after: Fraction, whole: list[Fraction]) -> Fraction:
    if not whole[0] or not whole[1]:
        return after - before
    return before * whole[1] / whole[0] - before


def _round(costs: Mapping[str, Fraction], changes: Mapping[str, Fraction]) -> dict[str, CostChange]:
    found = {}
    for service, change in changes.items():
        cost = to_amount(costs[service] * UNITS, CENTS)
        found[service] = CostChange(cost, to_amount(change * UNITS, CENTS) - cost)
    return found
