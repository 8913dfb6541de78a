"""Within one strongly connected component: what passes through each service per unit of each.

Method: (I - A)^-1 by elimination without subtraction, after Grassmann, Taksar and Heyman
("Regenerative analysis and steady state distributions for Markov chains", Operations Research 33,
1985), by halves so that matrix products do the work. I - A is known by the shares that pass and
the shares that leave; its diagonal, their sum, is never formed. All that is added and multiplied
is positive, so nothing cancels: each entry is right to a few units of its last digit, however
little leaves a component per round. A sparse LU was measured against it: docs/decisions/0017.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .service_graph import Shares


def invert_flows(flows: Shares, leaving: Shares) -> Shares:
    """The matrix Z = (I - A)^-1: Z[t, s] passes through t per unit of s.

    `flows[t, s]` is the share of s that passes to t, its diagonal is not read; `leaving[s]` is the
    share of s that leaves the component, not all of them 0. Shares of one s sum to 1.
    """
    import numpy as np

    size = len(leaving)
    if size == 1:
        return 1.0 / leaving.reshape(1, 1)
    half = size // 2
    into, back = flows[half:, :half], flows[:half, half:]
    first = invert_flows(flows[:half, :half], leaving[:half] + into.sum(axis=0))
    # With the first half eliminated, what the second sends there comes back, or leaves from there.
    sent = first @ back
    rest = invert_flows(flows[half:, half:] + into @ sent, leaving[half:] + leaving[:half] @ sent)
    onward = rest @ (into @ first)
    return np.block([[first + sent @ onward, sent @ rest], [onward, rest]])
