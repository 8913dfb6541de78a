"""What the terms of a bridge are called, and which of them a headline names."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.workspace.materiality import Materiality

LABELS = {
    "restatement": "Restatement",
    "rules": "Rules",
    "organisation": "Organisation",
    "pool_cost": "Pool cost",
    "volume": "Volume",
    "rate": "Use by others",
    "mix": "Mix of drivers",
    "policy": "Charging policy",
    "price": "Price",
    "tiers": "Price tiers",
    "peak": "Use at peak",
    "base_fee": "Base and fixed fees",
    "bounds": "Minimum and maximum",
    "mark_up": "Mark-up on cost",
    "rounding": "Rounding",
}
"""In the order in which terms are shown."""

# Why a bill rose, and why it fell.
REASONS = {
    "restatement": ("of a restatement", "of a restatement"),
    "rules": ("other rules hold", "other rules hold"),
    "organisation": ("the organisation changed", "the organisation changed"),
    "pool_cost": ("more cost arrives in the pools", "less cost arrives in the pools"),
    "volume": ("the quantity used changed", "the quantity used changed"),
    "rate": (
        "a unit costs more as others use less",
        "a unit costs less as others use more",
    ),
    "mix": ("shares of drivers on the way changed", "shares of drivers on the way changed"),
    "policy": ("another charging policy holds", "another charging policy holds"),
    "price": ("the price rose", "the price fell"),
    "tiers": ("the quantity is in dearer tiers", "the quantity is in cheaper tiers"),
    "peak": ("other use is at peak", "other use is at peak"),
    "base_fee": ("base or fixed fees rose", "base or fixed fees fell"),
    "bounds": ("of the minimum or maximum", "of the minimum or maximum"),
    "mark_up": ("the mark-up follows the cost", "the mark-up follows the cost"),
    "rounding": ("of rounding", "of rounding"),
}


def find_largest_term(netted: Mapping[str, Decimal], change: Decimal) -> str:
    """The term that moves most in the direction of the change, once what cancels is netted."""
    sign = 1 if change > 0 else -1
    return max(netted, key=lambda name: sign * netted[name])


def find_headline(
    netted: Mapping[str, Decimal], change: Decimal, base: Decimal, materiality: Materiality
) -> str | None:
    """The term that a headline may name: none for a change that is not material, none where no
    single term is."""
    if not materiality.is_material(change, base):
        return None
    term = find_largest_term(netted, change)
    return term if materiality.is_material(netted[term], base) else None


def state_reason(term: str, change: Decimal) -> str:
    """'the price rose', to be put behind 'because'."""
    return REASONS[term][0 if change > 0 else 1]
