"""Shared services: through which services does the cost of a service leave IT?

Method: Kaplan's matrix form of the reciprocal method (R. S. Kaplan, "Variable and Self-Service
Costs in Reciprocal Allocation Models", The Accounting Review 48, 1973). With A[i, j] the share of
service j that service i uses, c_t the share of service t that goes to receivers outside, and d the
direct cost, the gross cost is x = (I - A)^-1 d, and

    M[s -> t] = ((I - A)^-1)[t, s] * c_t

says which part of the direct cost of s leaves IT through t. M sums to 1 over t for every s, so it
is a set of weights like any other, and no cost is lost. Direct and step-down are the same formula
with fewer edges: whoever makes the edges takes out those that the method does not allow.

Works on weights, never on money. Guarantees that the integer weights of every sender sum to
WEIGHT_SCALE exactly; refuses by name a group of services that pass cost only among themselves.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from pipelines.errors import ControlError

if TYPE_CHECKING:
    import pyarrow as pa

WEIGHT_SCALE = 10**15
RESIDUAL_LIMIT = 1e-12

GROUP_COLUMNS = ("scenario_id", "period_id", "version")
EDGE_COLUMNS = (*GROUP_COLUMNS, "service_id", "receiver_kind", "receiver_id", "weight")

Edge = tuple[str, str, str, int]
"""(sender service, receiver kind, receiver, integer weight)"""


def solve_shared_services(edges: pa.Table) -> pa.Table:
    """Solve every (scenario, period, version) of an edge table.

    Takes columns scenario_id, period_id, version, service_id, receiver_kind, receiver_id, weight.
    Returns scenario_id, period_id, version, from_service_id, to_service_id, delivered_weight and
    gross_weight, both int64 of WEIGHT_SCALE; rows where both are 0 are left out.
    """
    import pyarrow as pa

    groups: dict[tuple[str, str, int], list[Edge]] = defaultdict(list)
    columns = [edges.column(name).to_pylist() for name in EDGE_COLUMNS]
    for scenario, period, version, service, kind, receiver, weight in zip(*columns, strict=True):
        groups[scenario, period, version].append((service, kind, receiver, int(weight)))
    rows: list[tuple[Any, ...]] = []
    for key in sorted(groups):
        rows += [(*key, *row) for row in solve_group(groups[key], place=f"{key[0]} {key[1]}")]
    names = ["scenario_id", "period_id", "version", "from_service_id", "to_service_id"]
    types = [pa.string(), pa.string(), pa.int32(), pa.string(), pa.string(), pa.int64(), pa.int64()]
    names += ["delivered_weight", "gross_weight"]
    schema = pa.schema(list(zip(names, types, strict=True)))
    data: list[tuple[Any, ...]] = list(zip(*rows, strict=True)) if rows else [() for _ in names]
    return pa.table([pa.array(list(c), t) for c, t in zip(data, types, strict=True)], schema=schema)


def solve_group(edges: list[Edge], place: str = "") -> list[tuple[str, str, int, int]]:
    """Weights of one group as (from, to, delivered, gross), ordered by from and to.

    Raises ControlError if services pass their cost only among themselves, naming them.
    """
    import numpy as np
    from scipy.sparse import csc_matrix, identity
    from scipy.sparse.linalg import splu

    services = sorted({edge[0] for edge in edges} | {e[2] for e in edges if e[1] == "service"})
    index = {service: number for number, service in enumerate(services)}
    totals: dict[str, int] = defaultdict(int)
    for sender, _, _, weight in edges:
        totals[sender] += weight
    _refuse_weightless(edges, totals, place)
    inner = [(index[e[2]], index[e[0]], e[3] / totals[e[0]]) for e in edges if e[1] == "service"]
    outside = np.zeros(len(services))
    for sender, kind, _, weight in edges:
        if kind != "service":
            outside[index[sender]] += weight / totals[sender]
    _refuse_closed_groups(services, inner, outside, place)
    if not inner:
        return [(service, service, WEIGHT_SCALE, WEIGHT_SCALE) for service in services]
    to, of, share = zip(*inner, strict=True)
    size = (len(services), len(services))
    system = csc_matrix(identity(len(services)) - csc_matrix((share, (to, of)), shape=size))
    # Column s of the inverse: the gross cost of every service per unit of direct cost of s.
    units = np.identity(len(services))
    gross = splu(system).solve(units)
    residuals = np.abs(system @ gross - units).max(axis=0)
    delivered = gross * outside[:, np.newaxis]
    sums = delivered.sum(axis=0)
    rows = []
    for number, service in enumerate(services):
        error = max(float(residuals[number]), abs(float(sums[number]) - 1.0))
        if error > RESIDUAL_LIMIT:
            raise ControlError(
                f"{place}: the weights of service '{service}' sum to {sums[number]!r}, expected 1 "
                f"within {RESIDUAL_LIMIT}; residual {residuals[number]:.3g}. "
                "Check its driver quantities."
            )
        integers = _scale_exactly(delivered[:, number].tolist())
        for receiver, weight in enumerate(integers):
            full = round(float(gross[receiver, number]) * WEIGHT_SCALE)
            if weight or full:
                rows.append((service, services[receiver], weight, full))
    return rows


def _refuse_weightless(edges: list[Edge], totals: dict[str, int], place: str) -> None:
    """Shares of one service are its weights over their sum, so there has to be one."""
    wrong = {sender for sender, total in totals.items() if total <= 0}
    wrong |= {sender for sender, _, _, weight in edges if weight < 0}
    if wrong:
        raise ControlError(
            f"{place}: the weights of the services {', '.join(sorted(wrong))} are negative or all "
            "0. Check their driver quantities, or hold their money as unallocated."
        )


def _scale_exactly(shares: list[float]) -> list[int]:
    """Integers proportional to `shares` that sum to WEIGHT_SCALE: the largest takes the rest."""
    integers = [max(0, round(share * WEIGHT_SCALE)) for share in shares]
    largest = max(range(len(integers)), key=lambda number: integers[number])
    integers[largest] += WEIGHT_SCALE - sum(integers)
    return integers


def _refuse_closed_groups(
    services: list[str], inner: list[tuple[int, int, float]], outside: Any, place: str
) -> None:
    """Every service must reach a receiver outside; walk back from those that do."""
    senders_of: dict[int, list[int]] = defaultdict(list)
    for receiver, sender, share in inner:
        if share > 0:
            senders_of[receiver].append(sender)
    reached = {number for number in range(len(services)) if outside[number] > 0}
    front = list(reached)
    while front:
        for sender in senders_of[front.pop()]:
            if sender not in reached:
                reached.add(sender)
                front.append(sender)
    closed = [service for number, service in enumerate(services) if number not in reached]
    if closed:
        raise ControlError(
            f"{place}: the services {', '.join(closed)} pass their cost only among themselves. "
            "Give at least one of them a consumer, or declare another receiver."
        )
