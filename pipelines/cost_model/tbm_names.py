"""The names of the TBM taxonomy 5.0.1 that a pool, tower or service may say it corresponds to.

Names only, see taxonomy/SOURCE.md. A name is written 'NAME' or 'NAME / SUB-NAME', such as
'Compute / Servers'.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

from pipelines.cost_model.reference_checks import RuleFile
from pipelines.cost_model.schema import Pools, Services, Towers

TBM_ID = "tbm-5.0.1"
TBM_NAME = "TBM taxonomy 5.0.1"
SEPARATOR = " / "
FILE = Path(__file__).parent / "taxonomy" / "tbm_5_0_1.csv"

LAYERS = {"cost_pool": "cost_pool", "resource_tower": "tower", "solution": "service"}
"""What the taxonomy calls a layer -> what stands there in a workspace."""

LAYER_NAMES = {"cost_pool": "cost pool", "tower": "resource tower", "service": "solution"}


@cache
def load_tbm_names() -> frozenset[tuple[str, str, str]]:
    """(layer, name, sub-name) of all names; layer is cost_pool, tower or service."""
    with FILE.open(newline="", encoding="utf-8") as file:
        return frozenset(
            (LAYERS[row["layer"]], row["name"], row["sub_name"]) for row in csv.DictReader(file)
        )


def split_name(text: str) -> tuple[str, str | None]:
    """Name and sub-name of a text such as 'Compute / Servers'."""
    name, separator, sub_name = text.partition(SEPARATOR)
    return (name, sub_name) if separator else (text, None)


def list_texts(layer: str) -> list[str]:
    """All names of a layer as they may be written: alone, and with each sub-name."""
    own = [(name, sub_name) for kind, name, sub_name in load_tbm_names() if kind == layer]
    return sorted({name for name, _ in own} | {f"{name}{SEPARATOR}{sub}" for name, sub in own})


def check_tbm_names(
    files: dict[str, RuleFile], pools: Pools, towers: Towers, services: Services
) -> None:
    """Collect in the files what `tbm` names and the taxonomy does not have."""
    layers: tuple[tuple[str, str, list[tuple[str, str | None]]], ...] = (
        ("pools", "cost_pool", [(item.id, item.tbm) for item in pools.pools]),
        ("towers", "tower", [(item.id, item.tbm) for item in towers.towers]),
        ("services", "service", [(item.id, item.tbm) for item in services.services]),
    )
    for section, layer, items in layers:
        known = list_texts(layer)
        kind = f"{LAYER_NAMES[layer]} of the {TBM_NAME}"
        for index, (item_id, name) in enumerate(items):
            if name is not None:
                place = (section, index, "tbm")
                files[f"{section}.yml"].require_known(place, item_id, kind, name, known)
