"""One palette for every chart, keyed by id.

Each colour has a contrast of at least 3 : 1 against the light and the dark page, and the first
ones are told apart with any of the common colour-vision deficiencies (they follow Okabe and Ito,
"Color Universal Design", 2008, darkened where yellow or sky would vanish on white). Meaning never
rests on colour alone: budget is dashed, over and under carry a sign.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from app.names import is_place

ACTUAL = "#2B7BBB"
SELECTED = "#0072B2"
BUDGET = "#B97F00"
OVER = "#D55E00"
UNDER = "#2B7BBB"
NEUTRAL = "#808080"
ATTENTION = "#D55E00"
TARGET = "#B97F00"

CATEGORICAL = (
    "#2B7BBB",
    "#D55E00",
    "#0E8F68",
    "#B5638F",
    "#B97F00",
    "#6F6FD6",
    "#8F6B3D",
    "#2595A8",
    "#7F9100",
)

STOPS = {
    "cost_pool": "#6F6FD6",
    "tower": "#0E8F68",
    "service": "#2B7BBB",
    "business_unit": "#B5638F",
}


def assign_colours(ids: Iterable[str]) -> dict[str, str]:
    """A colour for each id. Give all ids of a kind, not only those shown: then an id keeps its
    colour on every page. Beyond nine ids colours repeat; special ids are grey."""
    colours: dict[str, str] = {}
    taken: set[int] = set()
    for entity_id in sorted(set(ids)):
        if is_place(entity_id):
            colours[entity_id] = NEUTRAL
            continue
        if len(taken) == len(CATEGORICAL):
            taken.clear()
        slot = hashlib.md5(entity_id.encode(), usedforsecurity=False).digest()[0]
        slot %= len(CATEGORICAL)
        while slot in taken:
            slot = (slot + 1) % len(CATEGORICAL)
        taken.add(slot)
        colours[entity_id] = CATEGORICAL[slot]
    return colours


def fade(colour: str, share: float) -> str:
    """A colour with an opacity between 0 and 1."""
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {share})"
