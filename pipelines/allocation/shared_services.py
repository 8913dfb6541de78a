"""Shared services: through which services does the cost of a service leave IT?

Method: Kaplan's matrix form of the reciprocal method (R. S. Kaplan, "Variable and Self-Service
Costs in Reciprocal Allocation Models", The Accounting Review 48, 1973). With A[i, j] the share of
service j that service i uses, c_t the share of service t that goes to receivers outside, and d the
direct cost, the gross cost is x = (I - A)^-1 d, and

    M[s -> t] = ((I - A)^-1)[t, s] * c_t

says which part of the direct cost of s leaves IT through t. M sums to 1 over t for every s, so it
is a set of weights like any other, and no cost is lost. Direct and step-down are the same formula
with fewer edges: whoever makes the edges takes out those that the method does not allow.

Solved per strongly connected component, receivers first: a component's own part of the inverse
(`pass_on`), and what it passes to components that are solved already.

Works on weights, never on money. Guarantees that the integer weights of every sender sum to
WEIGHT_SCALE exactly; refuses by name a group of services that pass cost only among themselves.
Known limits: holds a dense row per service that passes cost to others; the last digits of a weight
may depend on the processor, so that weights are stored and not solved again.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.errors import ControlError

from .arrow_columns import make_numbers, make_texts
from .pass_on import invert_flows
from .service_graph import Edge, ServiceGraph, find_components, make_graph

if TYPE_CHECKING:
    import pyarrow as pa

    from .service_graph import Numbers, Shares

WEIGHT_SCALE = 10**15
RESIDUAL_LIMIT = 1e-12
# Full cost beyond it would not fit into the engine's integers, whatever the amount.
GROSS_LIMIT = 1e7

GROUP_COLUMNS = ("scenario_id", "period_id", "version")
EDGE_COLUMNS = (*GROUP_COLUMNS, "service_id", "receiver_kind", "receiver_id", "weight")


@dataclass(frozen=True)
class SolvedWeights:
    """The weights of one group, ordered by sender and receiver; rows where both are 0 left out."""

    services: list[str]
    senders: Numbers
    receivers: Numbers
    delivered: Numbers
    """Of WEIGHT_SCALE; those of a sender sum to it."""
    gross: Shares
    """Of WEIGHT_SCALE, whole numbers: what passes through the receiver, at least once."""


def solve_shared_services(edges: pa.Table, method: str) -> pa.Table:
    """Solve every (scenario, period, version) of an edge table, made by `method`.

    Takes columns scenario_id, period_id, version, service_id, receiver_kind, receiver_id, weight.
    Returns scenario_id, period_id, version, shared_method, from_service_id, to_service_id,
    delivered_weight (int64) and gross_weight (decimal(38, 0)), both of WEIGHT_SCALE.
    """
    import pyarrow as pa

    groups: dict[tuple[str, str, int], list[Edge]] = defaultdict(list)
    columns = [edges.column(name).to_pylist() for name in EDGE_COLUMNS]
    for scenario, period, version, service, kind, receiver, weight in zip(*columns, strict=True):
        groups[scenario, period, version].append((service, kind, receiver, int(weight)))
    schema = pa.schema(
        {
            **{"scenario_id": pa.string(), "period_id": pa.string(), "version": pa.int32()},
            **{"shared_method": pa.string()},
            **{"from_service_id": pa.string(), "to_service_id": pa.string()},
            **{"delivered_weight": pa.int64(), "gross_weight": pa.decimal128(38, 0)},
        }
    )
    tables = []
    for key in sorted(groups):
        solved = solve_group(groups[key], place=f"{key[0]} {key[1]}")
        tables.append(_write_table(solved, (*key, method), schema))
    return pa.concat_tables(tables) if tables else schema.empty_table()


def _write_table(solved: SolvedWeights, key: tuple[str, str, int, str], schema: pa.Schema) -> Any:
    """The rows of one group."""
    import numpy as np
    import pyarrow as pa

    scenario, period, version, method = key
    size = len(solved.senders)
    names = make_texts([*solved.services, scenario, period, method])
    first = len(solved.services)
    places = (
        *(np.full(size, first + number) for number in range(3)),
        solved.senders,
        solved.receivers,
    )
    texts = [names.take(make_numbers(place, np.int64, pa.int64())) for place in places]
    parts = [
        *texts[:2],
        make_numbers(np.full(size, version), np.int32, pa.int32()),
        *texts[2:],
        make_numbers(solved.delivered, np.int64, pa.int64()),
        make_numbers(solved.gross, np.float64, pa.float64()).cast(schema.types[-1]),
    ]
    return pa.Table.from_arrays(parts, schema=schema)


def solve_group(edges: list[Edge], place: str = "") -> SolvedWeights:
    """The weights of one group.

    Raises ControlError if services pass their cost only among themselves, naming them, and if a
    solution does not hold within RESIDUAL_LIMIT of what passes through a service.
    """
    import numpy as np

    graph = make_graph(edges, place)
    passing = np.unique(graph.senders)
    gross = _solve_gross(graph, passing, place)
    delivered = gross * graph.outside
    _refuse_inexact(graph, passing, gross, delivered, place)
    weights, full = _scale_exactly(delivered), np.rint(gross * WEIGHT_SCALE)
    rows, columns = np.nonzero((full > 0) | (weights > 0))
    # A service that passes nothing to others delivers all of itself.
    alone = np.setdiff1d(np.arange(len(graph.services)), passing)
    whole = np.full(len(alone), WEIGHT_SCALE)
    senders = np.concatenate([passing[rows], alone])
    receivers = np.concatenate([columns, alone])
    order = np.lexsort([receivers, senders])
    return SolvedWeights(
        graph.services,
        senders[order],
        receivers[order],
        np.concatenate([weights[rows, columns], whole])[order],
        np.concatenate([full[rows, columns], whole])[order],
    )


def _solve_gross(graph: ServiceGraph, passing: Numbers, place: str) -> Shares:
    """Row s, column t: what passes through service t per unit of the `passing` service s."""
    import numpy as np
    from scipy.sparse import csr_matrix

    size = len(graph.services)
    components = find_components(graph, place)
    component, position, row = (np.full(size, -1) for _ in range(3))
    for number, members in enumerate(components):
        component[members], position[members] = number, np.arange(len(members))
    row[passing] = np.arange(len(passing))
    gross = np.zeros((len(passing), size))
    by_component = np.argsort(component[graph.senders], kind="stable")
    ends = np.searchsorted(component[graph.senders[by_component]], np.arange(len(components) + 1))
    for number, members in enumerate(components):
        edges = by_component[ends[number] : ends[number + 1]]
        if not len(edges):
            continue
        senders, receivers = position[graph.senders[edges]], graph.receivers[edges]
        shares, count = graph.shares[edges], len(members)
        stays = component[receivers] == number
        flows = np.zeros((count, count))
        flows[position[receivers[stays]], senders[stays]] = shares[stays]
        leaves = np.bincount(senders[~stays], shares[~stays], minlength=count)
        within = invert_flows(flows, graph.outside[members] + leaves).T
        # What goes on to other components, with all that it passes through there.
        known = ~stays & (row[receivers] >= 0)
        onward = (
            csr_matrix(
                (shares[known], (senders[known], row[receivers[known]])),
                shape=(count, len(passing)),
            )
            @ gross
        )
        last = ~stays & ~known
        onward[senders[last], receivers[last]] += shares[last]
        reached = np.flatnonzero(onward.any(axis=0))
        gross[np.ix_(row[members], reached)] = within @ onward[:, reached]
        gross[np.ix_(row[members], members)] = within
    return gross


def _refuse_inexact(
    graph: ServiceGraph, passing: Numbers, gross: Shares, delivered: Shares, place: str
) -> None:
    """What passes through a service is its own and what others pass to it; all of it leaves."""
    import numpy as np

    expected = (graph.as_matrix()[passing].T @ gross[:, passing].T).T
    expected[np.arange(len(passing)), passing] += 1.0
    residuals = (np.abs(expected - gross) / np.maximum(gross, 1.0)).max(axis=1, initial=0.0)
    sums = delivered.sum(axis=1)
    # What is no number is not within the limit either.
    wrong = ~(np.maximum(residuals, np.abs(sums - 1.0)) <= RESIDUAL_LIMIT)
    for number in np.flatnonzero(wrong):
        raise ControlError(
            f"{place}: the weights of service '{graph.services[passing[number]]}' sum to "
            f"{float(sums[number])!r}, expected 1 within {RESIDUAL_LIMIT}; residual "
            f"{residuals[number]:.3g}. Check its driver quantities."
        )
    for number in np.flatnonzero((gross > GROSS_LIMIT).any(axis=0)):
        raise ControlError(
            f"{place}: service '{graph.services[number]}' and those that it passes cost to let out "
            f"so little that the cost goes round more than {GROSS_LIMIT:,.0f} times. Check their "
            "driver quantities."
        )


def _scale_exactly(shares: Shares) -> Numbers:
    """Integers in proportion to each row of `shares` that sum to WEIGHT_SCALE.

    Running totals are rounded, as `allocate_by_driver` does: a weight is off by about a unit at
    most, and a share of 0 stays 0.
    """
    import numpy as np

    running = np.cumsum(shares, axis=1)
    ends = np.rint(running / running[:, -1:] * WEIGHT_SCALE).astype(np.int64)
    weights = ends.copy()
    weights[:, 1:] -= ends[:, :-1]
    return weights
