"""The typed form of the optional rule file `cost_model/crosswalk.yml`: a second taxonomy at once.

Pools, towers and services keep their ids. The file says which of them a name of another taxonomy
(an older one of TBM, the company's own) stands for. What no name stands for is reported and keeps
its money under a name that says so; it is never spread over the others.
"""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from pydantic import Field

from pipelines.cost_model.forms import Id, Strict
from pipelines.cost_model.reference_checks import RuleFile
from pipelines.cost_model.schema import Pools, Towers
from pipelines.cost_model.tbm_names import TBM_ID

Name = Annotated[str, Field(min_length=1, max_length=120)]
Names = dict[Name, Annotated[list[Id], Field(min_length=1)]]


class Taxonomy(Strict):
    """The second taxonomy."""

    id: Id
    name: str


class Crosswalk(Strict):
    """crosswalk.yml"""

    taxonomy: Taxonomy
    pools: Names = Field(default_factory=dict)
    """Name, or 'NAME / SUB-NAME' -> the pools that it stands for."""
    towers: Names = Field(default_factory=dict)
    services: Names = Field(default_factory=dict)


def check_crosswalk(
    file: RuleFile,
    crosswalk: Crosswalk,
    pools: Pools,
    towers: Towers,
    service_ids: set[str] | None,
) -> None:
    """Collect in `file` what is not known, and what stands under two names: it would count twice.

    `service_ids` None: a detail feed defines more of them.
    """
    if crosswalk.taxonomy.id == TBM_ID:
        remedy = "Say it with 'tbm' at the pool, tower or service, and call the second one else."
        file.complain(("taxonomy", "id"), "is the taxonomy of the product", TBM_ID, remedy)
    for section, kind, names, known in (
        ("pools", "pool", crosswalk.pools, {pool.id for pool in pools.pools}),
        ("towers", "tower", crosswalk.towers, {tower.id for tower in towers.towers}),
        ("services", "service", crosswalk.services, service_ids),
    ):
        counts = Counter(item for ids in names.values() for item in ids)
        for name, ids in names.items():
            for index, item in enumerate(ids):
                place = (section, name, index)
                if counts[item] > 1:
                    message = f"the {kind} '{item}' stands under {counts[item]} names"
                    file.complain(place, message, name, "Keep one: its money has one name.")
                elif known is not None:
                    file.require_known(place, name, kind, item, known)


def list_unmapped(crosswalk: Crosswalk, section: str, ids: list[str]) -> list[str]:
    """Those of the ids that no name of the section stands for."""
    names: Names = getattr(crosswalk, section)
    mapped = {item for found in names.values() for item in found}
    return [item for item in ids if item not in mapped]
