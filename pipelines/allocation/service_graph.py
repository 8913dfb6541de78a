"""The graph of services that use each other, and its strongly connected components.

A node is a service, an edge is the share of a service's cost that another one uses. Services that
pass cost to each other in a circle are one strongly connected component. Cost leaves a component
to receivers that are no services or to another component, so that the components have an order.

Assumes integer weights of use. Use of a service by itself is left out: Kaplan's weights are the
same without it, and the full cost then holds what came from others only. Guarantees that every
service reaches a receiver outside; refuses by name the components that do not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.errors import ControlError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]
    Shares = NDArray[np.float64]

Edge = tuple[str, str, str, int]
"""(sender service, receiver kind, receiver, integer weight)"""


@dataclass(frozen=True)
class ServiceGraph:
    """Services by name, the shares that pass between them, and the share of each that leaves."""

    services: list[str]
    senders: Numbers
    receivers: Numbers
    shares: Shares
    """Share of the cost of `senders[i]` that `receivers[i]` uses; each pair stands once."""
    outside: Shares
    """Per service, the share that receivers use which are no services."""

    def as_matrix(self) -> Any:
        """Sparse matrix: rows are senders, columns are receivers."""
        from scipy.sparse import csr_matrix

        size = len(self.services)
        return csr_matrix((self.shares, (self.senders, self.receivers)), shape=(size, size))


def make_graph(edges: list[Edge], place: str) -> ServiceGraph:
    """The graph of one period. Raises ControlError where a service has no weights to share by."""
    import numpy as np

    services = sorted({edge[0] for edge in edges} | {e[2] for e in edges if e[1] == "service"})
    index = {service: number for number, service in enumerate(services)}
    between: dict[tuple[int, int], int] = defaultdict(int)
    totals, leaving = [0] * len(services), [0] * len(services)
    _refuse_weightless(edges, place)
    for sender, kind, receiver, weight in edges:
        if weight and not (kind == "service" and receiver == sender):
            totals[index[sender]] += weight
            if kind == "service":
                between[index[sender], index[receiver]] += weight
            else:
                leaving[index[sender]] += weight
    pairs = sorted(between)
    # Python divides integers of any length with one rounding.
    shares = [between[pair] / totals[pair[0]] for pair in pairs]
    outside = [part / total if total else 0.0 for part, total in zip(leaving, totals, strict=True)]
    ends = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return ServiceGraph(services, ends[:, 0], ends[:, 1], np.array(shares), np.array(outside))


def find_components(graph: ServiceGraph, place: str) -> list[Numbers]:
    """The components, each after those that it passes cost to; members are numbers of services.

    Raises ControlError if the members of a component pass cost only among themselves.
    """
    members, links, way_out = _split_components(graph)
    closed = _name_closed(graph, members, way_out)
    if closed:
        raise ControlError(
            f"{place}: "
            + "; ".join(f"the services {', '.join(names)}" for names in closed)
            + " pass their cost only among themselves, so that it never leaves IT. "
            "Give at least one of them a consumer, or declare another receiver."
        )
    return [members[k] for k in _order_receivers_first(len(members), links.tolist())]


def find_closed_groups(graph: ServiceGraph) -> list[list[str]]:
    """The services that pass cost only among themselves: groups in the order of their names."""
    members, _, way_out = _split_components(graph)
    return _name_closed(graph, members, way_out)


def _split_components(graph: ServiceGraph) -> tuple[list[Numbers], Numbers, NDArray[np.bool_]]:
    """Members of each component, the links between components, and which ones have a way out."""
    import numpy as np
    from scipy.sparse.csgraph import connected_components

    count, label = connected_components(graph.as_matrix(), directed=True, connection="strong")
    by_label = np.argsort(label, kind="stable")
    ends = np.searchsorted(label[by_label], np.arange(count + 1))
    members = [by_label[ends[i] : ends[i + 1]] for i in range(count)]
    links = np.stack([label[graph.senders], label[graph.receivers]], axis=1)
    links = np.unique(links[links[:, 0] != links[:, 1]], axis=0)
    way_out = np.zeros(count, dtype=bool)
    way_out[label[graph.outside > 0]] = True
    way_out[links[:, 0]] = True
    return members, links, way_out


def _name_closed(
    graph: ServiceGraph, members: list[Numbers], way_out: NDArray[np.bool_]
) -> list[list[str]]:
    closed = [part for part, leaves in zip(members, way_out, strict=True) if not leaves]
    return sorted(sorted(graph.services[i] for i in part) for part in closed)


def _order_receivers_first(count: int, links: Sequence[Sequence[int]]) -> list[int]:
    """Numbers such that each stands after all it has a link to; the links have no circle."""
    senders_to: list[list[int]] = [[] for _ in range(count)]
    waits_for = [0] * count
    for sender, receiver in links:
        senders_to[receiver].append(sender)
        waits_for[sender] += 1
    order = [number for number in range(count) if not waits_for[number]]
    for number in order:
        for sender in senders_to[number]:
            waits_for[sender] -= 1
            if not waits_for[sender]:
                order.append(sender)
    return order


def _refuse_weightless(edges: list[Edge], place: str) -> None:
    """Shares of one service are its weights over their sum, so there has to be one."""
    largest: dict[str, int] = {}
    for sender, _, _, weight in edges:
        largest[sender] = max(largest.get(sender, 0), weight)
    wrong = {sender for sender, weight in largest.items() if not weight}
    wrong |= {sender for sender, _, _, weight in edges if weight < 0}
    if wrong:
        raise ControlError(
            f"{place}: the weights of the services {', '.join(sorted(wrong))} are negative or all "
            "0. Check their driver quantities, or hold their money as unallocated."
        )
