"""Who answers for the rules: those without an owner, and those that nobody has approved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipelines.cost_model.load import CostModel
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
