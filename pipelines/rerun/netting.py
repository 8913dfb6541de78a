"""What is left of the terms of a line once those that cancel each other are set off.

A charge that stayed the same can have a volume of +78.00 and a rate of -78.00. Both are right, and
neither is a cause of anything. Before terms are ranked they are netted line by line: of two terms
with opposite signs the larger keeps the difference, beginning with the pair that cancels best. What
is left has the sign of the line's change and sums to it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.rerun.bill_states import LineKey


def net_terms(terms: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """The terms of one line, netted; those that nothing is left of are left out."""
    left = {name: amount for name, amount in terms.items() if amount}
    while True:
        more = [name for name, amount in left.items() if amount > 0]
        less = [name for name, amount in left.items() if amount < 0]
        if not more or not less:
            return left
        first, second = min(
            product(more, less), key=lambda pair: abs(left[pair[0]] + left[pair[1]])
        )
        rest = left[first] + left[second]
        kept, gone = (first, second) if rest > 0 else (second, first)
        del left[gone]
        if rest:
            left[kept] = rest
        else:
            del left[kept]


def sum_netted(lines: Iterable[Mapping[str, Fraction]]) -> dict[str, Fraction]:
    """What several lines have left of each term together."""
    sums: dict[str, Fraction] = defaultdict(Fraction)
    for line in lines:
        for name, amount in line.items():
            sums[name] += amount
    return dict(sums)


def find_netted_line(
    term: str,
    lines: Mapping[LineKey, Mapping[str, Fraction]],
    netted: Mapping[LineKey, Mapping[str, Fraction]],
) -> LineKey | None:
    """The line with most left of a term, in the direction that the term has in all lines together;
    None where it is cancelled in every line."""
    whole = sum((own.get(term, Fraction(0)) for own in lines.values()), Fraction(0))
    sign = -1 if whole < 0 else 1
    left = {line: sign * netted[line].get(term, Fraction(0)) for line in sorted(lines)}
    found = max(left, key=lambda line: left[line], default=None)
    return found if found is not None and left[found] > 0 else None
