"""Random companies: services that use each other, what they cost, and who uses them."""

from __future__ import annotations

import random
from dataclasses import dataclass

from pipelines.allocation.service_graph import Edge


@dataclass(frozen=True)
class Company:
    """`edges` hold the use of services and of consumers; `costs` are engine units per service."""

    edges: list[Edge]
    costs: dict[str, int]

    @property
    def services(self) -> list[str]:
        return sorted(self.costs)


# Weights of a service's consumers sum to this, so that some amounts split without rounding.
CONSUMER_TOTAL = 1000


def make_company(draw: random.Random, size: int, is_triangular: bool = False) -> Company:
    """`size` services; every one has consumers, whose weights sum to CONSUMER_TOTAL."""
    names = [f"s{number:02d}" for number in range(size)]
    density = draw.choice([0.0, 0.1, 0.4, 1.0])
    edges: list[Edge] = []
    for number, sender in enumerate(names):
        parts = sorted(draw.sample(range(1, CONSUMER_TOTAL), draw.randint(0, 4)))
        ends = zip([0, *parts], [*parts, CONSUMER_TOTAL], strict=True)
        edges += [(sender, "consumer", f"c{i}", end - start) for i, (start, end) in enumerate(ends)]
        for receiver in names[number + 1 :] if is_triangular else names:
            if draw.random() < density:
                edges.append((sender, "service", receiver, draw_weight(draw)))
    sizes = [0, 1, 10**6, 10**15, 10**21]
    costs = {name: draw.choice([-1, 1]) * draw.randint(0, draw.choice(sizes)) for name in names}
    return Company(edges, costs)


def draw_weight(draw: random.Random) -> int:
    """A positive weight: next to nothing, like the consumers', or far more than they have."""
    return draw.randint(1, draw.choice([1, 1000, 10**6]))


def rename(company: Company, names: dict[str, str]) -> Company:
    """The same company with other names of services."""
    return Company(
        [(names[s], kind, names.get(r, r), w) for s, kind, r, w in company.edges],
        {names[service]: cost for service, cost in company.costs.items()},
    )
