"""Compile the TBM names and crosswalk.yml into tables that the build reads.

A taxonomy is there only if something is mapped to it; without any the tables are empty.
"""

from __future__ import annotations

from pipelines.cost_model.compile_tagging import Row, Table
from pipelines.cost_model.crosswalk import Crosswalk
from pipelines.cost_model.schema import Pools, Services, Towers
from pipelines.cost_model.tbm_names import TBM_ID, TBM_NAME, load_tbm_names, split_name


def compile_taxonomies(
    pools: Pools, towers: Towers, services: Services, crosswalk: Crosswalk | None
) -> dict[str, Table]:
    """The tables by name: taxonomies, what is mapped to which name, and the sub-pools of TBM."""
    standard = _list_standard(pools, towers, services)
    second = _list_second(crosswalk) if crosswalk else []
    taxonomies: list[Row] = [(TBM_ID, TBM_NAME)] if standard else []
    if crosswalk and second:
        taxonomies.append((crosswalk.taxonomy.id, crosswalk.taxonomy.name))
    return {
        "taxonomies": ("taxonomy_id varchar, taxonomy_name varchar", taxonomies),
        "taxonomy_mappings": (
            "taxonomy_id varchar, layer_code varchar, entity_id varchar, category_name varchar, "
            "sub_category_name varchar",
            [*standard, *second],
        ),
        "taxonomy_sub_pools": (
            "taxonomy_id varchar, category_name varchar, sub_category_name varchar",
            [
                (TBM_ID, name, sub_name)
                for layer, name, sub_name in sorted(load_tbm_names())
                if layer == "cost_pool" and standard
            ],
        ),
    }


def _list_standard(pools: Pools, towers: Towers, services: Services) -> list[Row]:
    named = [("cost_pool", pool.id, pool.tbm) for pool in pools.pools]
    named += [("tower", tower.id, tower.tbm) for tower in towers.towers]
    named += [("service", service.id, service.tbm) for service in services.services]
    return [
        (TBM_ID, layer, entity_id, *split_name(text)) for layer, entity_id, text in named if text
    ]


def _list_second(crosswalk: Crosswalk) -> list[Row]:
    return [
        (crosswalk.taxonomy.id, layer, entity_id, *split_name(text))
        for layer, names in (
            ("cost_pool", crosswalk.pools),
            ("tower", crosswalk.towers),
            ("service", crosswalk.services),
        )
        for text, ids in names.items()
        for entity_id in ids
    ]
