"""How much of a solved weight passes services whose drivers are not measured.

A way is as good as its worst hop. Of the weight M[s -> t] (see `shared_services`) the part that
goes through services with sure drivers only, first and last included, is what is left when money
that enters any other service stops there: the same solution on a graph in which the unsure services
pass all to receivers outside. The rest of the weight rests on a driver of that quality or worse. So
the measure is of money, not of names: one estimated service among many does not make all of them
estimated, only what passes it.

Works on weights, never on money. Guarantees 0 <= fallback <= stale or worse <= estimated or worse
<= delivered weight, and that a weight with an unsure end is unsure as a whole. Known limit: the two
solutions are rounded apart, so that a part may be off by about a unit of 10^15.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from pipelines.allocation.arrow_columns import make_numbers, make_texts
from pipelines.allocation.shared_services import EDGE_COLUMNS, GROUP_COLUMNS, solve_group
from pipelines.allocation.use_edges import OUTSIDE

if TYPE_CHECKING:
    import pyarrow as pa

    from .service_graph import Edge

LEVELS = (1, 2, 3)
"""Ranks from which on money is estimated or worse, stale or worse, a fallback."""

Group = tuple[str, str, int]
Weights = dict[tuple[str, str], int]
"""(sender, receiver): weight of 10^15."""


def find_doubts(edges: pa.Table, ranks: pa.Table) -> pa.Table:
    """The unsure parts of the weights of every (scenario, period, version).

    Takes edges as `solve_shared_services`, and quality_rank per service. Returns the keys with
    from_service_id, to_service_id, estimated_or_worse_weight, stale_or_worse_weight and
    fallback_weight (int64), for the weights of which any part is unsure.
    """
    import pyarrow as pa

    groups: dict[Group, list[Edge]] = defaultdict(list)
    columns = [edges.column(name).to_pylist() for name in EDGE_COLUMNS]
    for scenario, period, version, service, kind, receiver, weight in zip(*columns, strict=True):
        groups[scenario, period, version].append((service, kind, receiver, int(weight)))
    quality: dict[Group, dict[str, int]] = defaultdict(dict)
    names = (*GROUP_COLUMNS, "service_id", "quality_rank")
    for *key, service, rank in zip(*(ranks.column(n).to_pylist() for n in names), strict=True):
        quality[key[0], key[1], key[2]][service] = rank
    rows = [
        (*key, *pair, *parts)
        for key in sorted(groups)
        for pair, parts in find_group_doubts(
            groups[key], quality[key], f"{key[0]} {key[1]}"
        ).items()
    ]
    found: list[tuple[Any, ...]] = list(zip(*rows, strict=True)) or [()] * 8
    scenarios, periods, versions, senders, receivers, *parts = found
    texts = {
        "scenario_id": scenarios,
        "period_id": periods,
        "from_service_id": senders,
        "to_service_id": receivers,
    }
    levels = ("estimated_or_worse_weight", "stale_or_worse_weight", "fallback_weight")
    made = {name: make_texts(values) for name, values in texts.items()}
    made["version"] = make_numbers(versions, "int32", pa.int32())
    for name, values in zip(levels, parts, strict=True):
        made[name] = make_numbers(values, "int64", pa.int64())
    order = (*GROUP_COLUMNS, "from_service_id", "to_service_id", *levels)
    return pa.table({name: made[name] for name in order})


def find_group_doubts(
    edges: list[Edge], ranks: dict[str, int], place: str = ""
) -> dict[tuple[str, str], tuple[int, int, int]]:
    """Per weight of one group its parts by LEVELS, where the first is not 0. `place` names the
    group in the ControlError of services that pass cost only among themselves."""
    if not any(rank >= LEVELS[0] for rank in ranks.values()):
        return {}
    weights = _solve(edges, place)
    parts: dict[tuple[str, str], list[int]] = {pair: [] for pair in weights}
    for level in LEVELS:
        unsure = {service for service, rank in ranks.items() if rank >= level}
        sure = _solve_among_sure(edges, unsure, place) if unsure else weights
        for pair, weight in weights.items():
            most = min([weight, *parts[pair][-1:]])
            parts[pair].append(min(weight - min(sure.get(pair, 0), weight), most))
    return {pair: (a, b, c) for pair, (a, b, c) in sorted(parts.items()) if a}


def _solve_among_sure(edges: list[Edge], unsure: set[str], place: str) -> Weights:
    """The weights of what passes no unsure service."""
    kept = [edge for edge in edges if edge[0] not in unsure]
    stops: list[Edge] = [(service, OUTSIDE, "", 1) for service in sorted(unsure)]
    solved = _solve(kept + stops, place)
    return {pair: weight for pair, weight in solved.items() if not unsure & {*pair}}


def _solve(edges: list[Edge], place: str) -> Weights:
    solved = solve_group(edges, place)
    names = solved.services
    columns = (solved.senders.tolist(), solved.receivers.tolist(), solved.delivered.tolist())
    return {
        (names[sender], names[receiver]): weight
        for sender, receiver, weight in zip(*columns, strict=True)
        if weight
    }
