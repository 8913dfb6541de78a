"""What a rule needs beside its figures: an owner, an approval, and names in each taxonomy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipelines.cost_model.crosswalk import list_unmapped
from pipelines.cost_model.load import CostModel
from pipelines.cost_model.tbm_names import TBM_NAME, load_tbm_names, split_name
from pipelines.model_check.finding import ModelFinding, join_names

SHOWN_NAMES = 8


def check_care(model: CostModel) -> Iterator[ModelFinding]:
    """One finding per file and kind, with the number of its rules."""
    files: dict[str, list[Any]] = {
        "pools": list(model.pools.rules),
        "towers": list(model.towers.rules),
        "allocation": list(model.allocation.rules),
        "tagging": list(model.tagging.rules),
    }
    for attribute, title, expected, remedy in (
        ("owner", "Rules without an owner", "an owner", "Write who answers for them ('owner')."),
        (
            "approved_by",
            "Rules without approval",
            "an approval",
            "Let somebody else than their author read them, and write 'approved_by' and "
            "'approved_on'.",
        ),
    ):
        for name, rules in files.items():
            missing = [rule.id for rule in rules if not getattr(rule, attribute)]
            if missing:
                found = f"{len(missing)} of {len(rules)} rules: {join_names(missing, SHOWN_NAMES)}"
                place = f"cost_model/{name}.yml"
                yield ModelFinding("warning", title, place, None, found, expected, remedy)


def check_taxonomies(model: CostModel) -> Iterator[ModelFinding]:
    """What a taxonomy has no name for, where it has a name for something of that kind."""
    entities: dict[str, list[Any]] = {
        "pools": list(model.pools.pools),
        "towers": list(model.towers.towers),
        "services": list(model.services.services),
    }
    for section, items in entities.items():
        missing = [item.id for item in items if item.tbm is None]
        if len(missing) < len(items):
            remedy = "Write 'tbm' at each, or leave them out of the taxonomy on purpose."
            yield from _list_unnamed(f"{section}.yml", section, TBM_NAME, missing, items, remedy)
    yield from _find_unknown_sub_pools(model)
    crosswalk = model.crosswalk
    for section, items in entities.items():
        if crosswalk is not None and getattr(crosswalk, section):
            missing = list_unmapped(crosswalk, section, [item.id for item in items])
            name, remedy = crosswalk.taxonomy.name, "Write each under a name."
            yield from _list_unnamed("crosswalk.yml", section, name, missing, items, remedy)


def _list_unnamed(
    file: str, section: str, taxonomy: str, missing: list[str], items: list[Any], remedy: str
) -> Iterator[ModelFinding]:
    if missing:
        yield ModelFinding(
            "warning",
            f"{section.capitalize()} without a name in a taxonomy",
            f"cost_model/{file}",
            None,
            f"{len(missing)} of {len(items)} {section} have no name in {taxonomy}: "
            f"{join_names(missing, SHOWN_NAMES)}",
            "a name for each, so that no money stands beside the taxonomy",
            remedy,
        )


def _find_unknown_sub_pools(model: CostModel) -> Iterator[ModelFinding]:
    """Sub-pools of rules whose pool is mapped whole, under names that TBM does not have there."""
    names = {pool.id: split_name(pool.tbm) for pool in model.pools.pools if pool.tbm}
    known = {(name, sub_name) for layer, name, sub_name in load_tbm_names() if layer == "cost_pool"}
    unknown = sorted(
        {
            f"{rule.sub_pool} ({names[rule.pool][0]})"
            for rule in model.pools.rules
            if rule.pool in names
            and rule.sub_pool
            and names[rule.pool][1] is None
            and (names[rule.pool][0], rule.sub_pool) not in known
        }
    )
    if unknown:
        yield ModelFinding(
            "warning",
            "Sub-pools without a name in a taxonomy",
            "cost_model/pools.yml",
            None,
            f"{TBM_NAME} has no sub-pool {join_names(unknown, SHOWN_NAMES)}",
            "a name of the taxonomy",
            "Write its name as 'sub_pool'; until then the money stands under the pool alone.",
        )
