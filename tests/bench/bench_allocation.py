"""Measurements of shared services: `python -m tests.bench.bench_allocation [SCALE]`.

- seconds for the weight matrix of 300 services that pass cost to a graph of 2,000;
- seconds for that of a random graph of 2,000 services with 40,000 links, nearly all of which are
  one strongly connected component, so that its matrix has 4 million weights;
- the same against the inverse alone by a sparse LU (`splu`) in the same run, as a ratio;
- the error of a loop that lets out little, against exact fractions: ours, and of the sparse LU.

SCALE multiplies the numbers of services and links; 1 is what is said above.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

SERVICES, PASSING, LINKS = 2000, 300, 40_000
SHARED_AIM, RANDOM_AIM, LU_AIM = 3.0, 20.0, 1.0
# Weights are wanted within 1e-14; this loop lets out one part of LOOP_WEIGHT per round.
LOOP_WEIGHT, ERROR_AIM = 10**5, 1e-14


def main() -> int:
    """Measure and print; exit code 1 if an aim is missed."""
    scale = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    services, links = int(SERVICES * scale), int(LINKS * scale)
    # A build imports the libraries once, whatever it solves.
    invert_by_lu(make_edges(9, 9, 9))
    solve(make_edges(9, 9, 9))
    shared = time_call(lambda: solve(make_edges(services, int(PASSING * scale), links)))
    edges = make_edges(services, services, links)
    seconds = time_call(lambda: solve(edges))
    bare = time_call(lambda: invert_by_lu(edges))
    print(f"{services:,} services, {links:,} links: {seconds:.1f} s; inverse by splu {bare:.1f} s")
    ours, theirs = measure_errors()
    print(f"a loop that lets out 1 of {LOOP_WEIGHT:,}: error {ours:.1e}, of splu {theirs:.1e}")
    rows = [
        (f"{int(PASSING * scale):,} shared services in {services:,}", "s", shared, SHARED_AIM),
        (f"{services:,} services, {links:,} links", "s", seconds, RANDOM_AIM),
        ("the same / inverse by splu alone", "x", seconds / bare, LU_AIM),
        ("error of a weight of the loop", "", ours, ERROR_AIM),
    ]
    print(f"\n{'measure':<58}{'figure':>12}{'aim':>12}")
    for title, unit, figure, aim in rows:
        mark = "" if figure <= aim else "  missed"
        print(f"{title:<58}{figure:>9.2g} {unit:<2}{aim:>9.2g} {unit:<2}{mark}")
    return 0 if all(figure <= aim for _, _, figure, aim in rows) else 1


def make_edges(services: int, passing: int, links: int) -> list[Any]:
    """Random use of the first `passing` services by all, and consumers of every service."""
    draw = random.Random(1)
    edges: list[Any] = [(f"s{i}", "outside", "", draw.randint(1, 10_000)) for i in range(services)]
    for _ in range(links):
        sender, receiver = draw.randrange(passing), draw.randrange(services)
        edges.append((f"s{sender}", "service", f"s{receiver}", draw.randint(1, 10_000)))
    return edges


def solve(edges: list[Any]) -> Any:
    """The table that the build writes, from the edges of one period."""
    import pyarrow as pa

    from pipelines.allocation.shared_services import EDGE_COLUMNS, solve_shared_services

    rows = [("actual", "2026-01", 1, *edge) for edge in edges]
    columns = [list(column) for column in zip(*rows, strict=True)]
    table = pa.table(dict(zip(EDGE_COLUMNS, columns, strict=True)))
    return solve_shared_services(table, "reciprocal")


def invert_by_lu(edges: list[Any]) -> Any:
    """(I - A)^-1 of the same graph, by the sparse LU of SciPy."""
    import numpy as np
    from scipy.sparse import csc_matrix, identity
    from scipy.sparse.linalg import splu

    from pipelines.allocation.service_graph import make_graph

    matrix = make_graph(edges, "bench").as_matrix()
    size = matrix.shape[0]
    return splu(csc_matrix(identity(size) - matrix.T)).solve(np.identity(size))


def measure_errors() -> tuple[float, float]:
    """Largest error of the weights of two services that keep nearly all among themselves.

    With q = 1 - 1 / LOOP_WEIGHT a unit of A leaves through A by (1 - q) / (1 - q^2), through B by q
    times that.
    """
    from pipelines.allocation.shared_services import WEIGHT_SCALE, solve_group

    edges: list[Any] = [
        *(("A", "service", "B", LOOP_WEIGHT - 1), ("A", "outside", "", 1)),
        *(("B", "service", "A", LOOP_WEIGHT - 1), ("B", "outside", "", 1)),
    ]
    kept = 1 - Fraction(1, LOOP_WEIGHT)
    first = (1 - kept) / (1 - kept**2)
    exact = [first, first * kept]
    ours = [Fraction(int(weight), WEIGHT_SCALE) for weight in solve_group(edges).delivered[:2]]
    inverse = invert_by_lu(edges)
    theirs = [Fraction(float(inverse[to, 0]) / LOOP_WEIGHT) for to in range(2)]
    errors = [
        float(max(abs(value - right) for value, right in zip(found, exact, strict=True)))
        for found in (ours, theirs)
    ]
    return errors[0], errors[1]


def time_call(call: Callable[[], Any]) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
