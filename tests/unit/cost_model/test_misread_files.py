"""Files with any value in the wrong place are refused with problems, never with a traceback."""

from __future__ import annotations

import random
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from pipelines.cost_model.load import load_cost_model
from pipelines.errors import ConfigurationError
from tests.unit.cost_model.model_files import FILES, write_files

WRONG: tuple[Any, ...] = (None, [], {}, "x y", 5, -1.5, True, [None], {"a": None}, [[1]])
RUNS = 150

OPTIONAL_FILES = {
    "cost_model/rate_card.yml": """\
prices:
  - {id: m, service: mail, unit: mailbox, price: "4.20", valid_to: 2026-04-01, reason: R.}
  - id: n
    service: mail
    unit: mailbox
    tiers: [{from_quantity: 0, price: 2}, {from_quantity: 10, price: 1}]
    valid_from: 2026-04-01
    reason: R.
""",
    "cost_model/crosswalk.yml": """\
taxonomy: {id: house, name: House}
pools: {People: [staff]}
towers: {Machines: [compute, desk]}
services: {Office: [mail]}
""",
    "cost_model/tagging.yml": """\
tag_keys: {cost-center: [CostCenter]}
tag_values: {service: {merge: {mail: [Mail]}}}
rules:
  - {id: a, priority: 1, match: {tags: {service: [mail]}}, service: mail, reason: R.}
  - {id: b, priority: 2, match: {missing_tags: [service]}, consumer: cc1, reason: R.}
""",
}


def list_places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = node.items() if isinstance(node, dict) else enumerate(node)
    places = []
    for key, value in items:
        places.append((*path, key))
        if isinstance(value, dict | list):
            places += list_places(value, (*path, key))
    return places


def spoil(document: Any, chance: random.Random) -> None:
    """Remove one node of the document, or put something else in its place."""
    places = list_places(document)
    if not places:
        return
    *parents, last = chance.choice(places)
    node = document
    for key in parents:
        node = node[key]
    if chance.random() < 0.3:
        del node[last]
    else:
        node[last] = deepcopy(chance.choice(WRONG))


def test_any_wrong_value_is_a_problem_and_never_a_defect(tmp_path: Path) -> None:
    workspace = write_files(tmp_path)
    for name, text in OPTIONAL_FILES.items():
        (tmp_path / name).write_text(text, "utf-8")
    load_cost_model(workspace)
    files = FILES | OPTIONAL_FILES
    names = [name for name in files if name.startswith("cost_model/")]
    chance = random.Random(4)
    refused = 0
    for _ in range(RUNS):
        name = chance.choice(names)
        document = yaml.safe_load(files[name])
        for _ in range(chance.choice((1, 1, 2))):
            spoil(document, chance)
        (tmp_path / name).write_text(yaml.safe_dump(document), "utf-8")
        try:
            load_cost_model(workspace)
        except ConfigurationError as error:
            refused += 1
            assert all(problem.file.startswith("cost_model/") for problem in error.problems)
        (tmp_path / name).write_text(files[name], "utf-8")
    assert refused > RUNS / 2
