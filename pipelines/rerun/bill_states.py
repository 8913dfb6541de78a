"""What a rerun says of every bill line at one point of a bridge, in engine units.

Reads models of the flow and computes no money, but for one thing: `Split.find_use_swapped`, what a
line would be if only the use of its own service had changed. It is the cost of the service, as the
flow has it, over another quantity.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

from pipelines.rerun.period_swap import CONSUMER_CELLS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import duckdb

    from pipelines.rerun.engine import Scope

USE = "stops.int_delivered_services__use"
DELIVERED_CELLS = "stops.int_delivered_services__cells"
# Decimals of a quantity.
WEIGHT_DIGITS = 12

LineKey = tuple[str, str]
"""Service and cost centre; '(unallocated)' and the like in the place of what nobody knows."""
Cell = tuple[str, str]
"""Cost pool and tower."""


@dataclass(frozen=True)
class Receiver:
    """How much of a service one receiver uses."""

    weight: Fraction
    """In the unit of the driver; what a weighted split weighs, times its weight."""
    quantity: Decimal | None
    unit_code: str | None


@dataclass
class Split:
    """A service, what it costs, and between whom that is split."""

    outside: dict[str, Receiver] = field(default_factory=dict)
    """By cost centre, or '(unallocated)'."""
    inside_weight: Fraction = Fraction(0)
    """What other services use of it."""
    delivered: int = 0
    """The cost that its receivers outside bear by use, in engine units."""

    @cached_property
    def outside_weight(self) -> Fraction:
        """Asked for once per bill line, so it is added up once; the receivers are known by then."""
        return sum((item.weight for item in self.outside.values()), Fraction(0))

    @property
    def total_weight(self) -> Fraction:
        return self.outside_weight + self.inside_weight

    @cached_property
    def basis(self) -> str:
        """'measured', or 'held' where nobody's use is known, or 'declared', such as evenly."""
        if any(item.quantity is not None for item in self.outside.values()) or self.inside_weight:
            return "measured"
        return "held" if set(self.outside) <= {"(unallocated)"} else "declared"

    @property
    def total_quantity(self) -> Decimal:
        """In the unit of the driver."""
        return Decimal(self.total_weight.numerator) / Decimal(self.total_weight.denominator)

    @property
    def unit_cost(self) -> Fraction | None:
        """Engine units per weight: what the service costs in all, over all who use it."""
        return self.delivered / self.outside_weight if self.outside_weight else None

    def weight_of(self, cost_centre_id: str) -> Fraction:
        receiver = self.outside.get(cost_centre_id)
        return receiver.weight if receiver else Fraction(0)

    def find_use_swapped(self, later: Split, cost_centre_id: str) -> Fraction:
        """What the cost centre bears by use when this cost is split by the use of `later`.

        All cost of the service is unit cost x total weight, the part of other services included:
        so a unit is dearer when fewer are used, inside or outside.
        """
        if not later.total_weight:
            return Fraction(0)
        if self.unit_cost is None:
            # Nobody outside used it before, so nothing says what a unit cost: as it does later.
            return (later.unit_cost or Fraction(0)) * later.weight_of(cost_centre_id)
        whole = self.unit_cost * self.total_weight
        return whole * later.weight_of(cost_centre_id) / later.total_weight


@dataclass(frozen=True)
class State:
    """Every bill line at one point of the bridge."""

    cells: dict[LineKey, dict[Cell, int]]

    def amount_of(self, line: LineKey) -> int:
        return sum(self.cells.get(line, {}).values())

    def sum_lines(self, lines: Iterable[LineKey]) -> dict[Cell, int]:
        """Engine units of several lines by pool and tower."""
        sums: dict[Cell, int] = defaultdict(int)
        for line in lines:
            for cell, amount in self.cells.get(line, {}).items():
                sums[cell] += amount
        return sums

    @property
    def total(self) -> int:
        return sum(self.amount_of(line) for line in self.cells)

    def select(self, is_wanted: Callable[[LineKey], bool]) -> set[LineKey]:
        return {line for line in self.cells if is_wanted(line)}


def read_state(connection: duckdb.DuckDBPyConnection, scope: Scope, catalogue: str = "") -> State:
    """The bill lines of `scope` as they stand in the rerun, or in another catalogue."""
    cells: dict[LineKey, dict[Cell, int]] = defaultdict(dict)
    for service, centre, pool, tower, amount in connection.execute(
        "select service_id, cost_centre_id, cost_pool_id, tower_id, sum(amount_units) "
        f"from {catalogue}{CONSUMER_CELLS} where {scope.as_condition()} group by all order by all"
    ).fetchall():
        cells[service, centre][pool, tower] = int(amount)
    return State(dict(cells))


def read_splits(
    connection: duckdb.DuckDBPyConnection, scope: Scope, catalogue: str = ""
) -> dict[str, Split]:
    """How every service is split, by its id. Self-use is no use.

    Integer weights are the smallest of each split in each period; scale and factor make them those
    of any other period.
    """
    splits: dict[str, Split] = defaultdict(Split)
    for service, kind, receiver, quantity, unit, weight, scale, factor in connection.execute(
        "select service_id, receiver_kind, receiver_id, sum(quantity), max(unit_code), "
        "sum(weight), max(weight_scale), max(weight_factor) "
        f"from {catalogue}{USE} where {scope.as_condition()} group by all order by all"
    ).fetchall():
        split = splits[service]
        use = Fraction(int(weight) * int(scale), int(factor) * 10**WEIGHT_DIGITS)
        if kind != "service":
            before = split.outside.get(receiver)
            total = use + (before.weight if before else 0)
            split.outside[receiver] = Receiver(total, quantity, unit)
        elif receiver != service:
            split.inside_weight += use
    for service, amount in connection.execute(
        f"select service_id, sum(amount_units) from {catalogue}{DELIVERED_CELLS} "
        f"where {scope.as_condition()} and disposition = 'allocated' "
        "and tagged_consumer_id is null group by all order by all"
    ).fetchall():
        splits[service].delivered = int(amount)
    return dict(splits)


def read_tagged(
    connection: duckdb.DuckDBPyConnection, scope: Scope, catalogue: str = ""
) -> dict[LineKey, int]:
    """The part of each line that a tag gives to its consumer, whatever anybody uses."""
    rows = connection.execute(
        f"select service_id, tagged_consumer_id, sum(amount_units) from {catalogue}"
        f"{DELIVERED_CELLS} where {scope.as_condition()} and disposition = 'allocated' "
        "and tagged_consumer_id is not null group by all order by all"
    ).fetchall()
    return {(service, centre): int(amount) for service, centre, amount in rows}
