"""How sure a charge is, as one figure: the part of its money that rests on measured drivers.

Pure functions from a row of `read_confidence`. The parts are signed money that sums to the cost. As
a share each part counts by its size: where all have one sign that is the share of the cost, and
where a credit stands in one part and a cost in another, no share is below nothing or above all.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pandas as pd

from app.components import Figure
from app.findings import share_of
from app.formats import format_exact, format_share, to_decimal

PARTS = {
    "measured_amount": "measured",
    "estimated_amount": "estimated",
    "stale_amount": "stale",
    "fallback_amount": "fallback",
}
MEANING = (
    "The money counts by the worst driver on its way: measured quantities, tags and direct rules; "
    "estimated quantities and shares that a rule declares (fixed, even); stale ones of an earlier "
    "period; fallback where a driver had none."
)


def find_shares(row: Mapping[Any, Any] | pd.Series) -> dict[str, Decimal]:
    """Each part by its size, as a share of one; empty where no money was charged."""
    sizes = {name: abs(to_decimal(row[column]) or Decimal(0)) for column, name in PARTS.items()}
    whole = sum(sizes.values(), Decimal(0))
    shares = {name: share_of(size, whole) for name, size in sizes.items()}
    return {name: share for name, share in shares.items() if share is not None}


def make_confidence_figure(row: Mapping[Any, Any] | pd.Series, currency: str) -> Figure | None:
    """'91.4 % measured', and the largest part that is not; None where no money was charged."""
    shares = find_shares(row)
    if not shares:
        return None
    measured = shares.pop("measured")
    worst = max(shares, key=lambda name: shares[name])
    amounts = ", ".join(
        f"{name} {format_exact(row[column], currency)}"
        for column, name in PARTS.items()
        if to_decimal(row[column])
    )
    return Figure(
        "Measured cost",
        format_share(measured),
        f"{format_share(shares[worst])} {worst}" if shares[worst] else "nothing is estimated",
        None,
        f"{amounts}. {MEANING}",
    )
