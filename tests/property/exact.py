"""The same results in exact fractions, by the plainest way there is."""

from __future__ import annotations

from fractions import Fraction
from math import floor

from pipelines.allocation.service_graph import Edge


def round_half_away(value: Fraction) -> int:
    """The integer that is nearest; of two, the one further from zero."""
    return floor(value + Fraction(1, 2)) if value >= 0 else -floor(-value + Fraction(1, 2))


def split_exactly(amount: int, weights: list[int], unit: int) -> list[int]:
    """Parts of `amount` by the rule of `allocate_by_driver`: neighbours of a rounded running total.

    Up to each receiver, amount x weights so far / all weights, in units; a part is what its
    receiver adds to that.
    """
    total = sum(weights)
    running, before, parts = 0, 0, []
    for weight in weights:
        running += weight
        now = round_half_away(Fraction(amount * running, total * unit))
        parts.append((now - before) * unit)
        before = now
    return parts


def solve_exactly(edges: list[Edge]) -> dict[tuple[str, str], Fraction]:
    """M[s -> t] = ((I - A)^-1)[t, s] x c_t by Gauss-Jordan elimination without fractions (Bareiss).

    With B = (totals on the diagonal) - (weights between services), I - A is B over the totals of
    its columns, so that M[s -> t] = (outside weight of t) x (B^-1)[t, s]: integers to the end.
    """
    services = sorted({edge[0] for edge in edges})
    index = {service: number for number, service in enumerate(services)}
    size = len(services)
    outside = [0] * size
    rows = [[0] * size + [int(i == j) for j in range(size)] for i in range(size)]
    for sender, kind, receiver, weight in edges:
        rows[index[sender]][index[sender]] += weight
        if kind == "service":
            rows[index[receiver]][index[sender]] -= weight
        else:
            outside[index[sender]] += weight
    pivot_before = 1
    for column in range(size):
        # No pivot is 0: columns of B sum to what leaves, and all that enters is at most 0.
        lead = rows[column]
        pivot = lead[column]
        for number, row in enumerate(rows):
            if number != column:
                factor = row[column]
                rows[number] = [
                    (pivot * value - factor * other) // pivot_before
                    for value, other in zip(row, lead, strict=True)
                ]
        pivot_before = pivot
    return {
        (sender, to): Fraction(outside[t] * rows[t][size + s], rows[t][t])
        for s, sender in enumerate(services)
        for t, to in enumerate(services)
    }
