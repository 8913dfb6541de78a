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
    names = [name for name in FILES if name.startswith("cost_model/")]
    chance = random.Random(4)
    refused = 0
    for _ in range(RUNS):
        name = chance.choice(names)
        document = yaml.safe_load(FILES[name])
        for _ in range(chance.choice((1, 1, 2))):
            spoil(document, chance)
        (tmp_path / name).write_text(yaml.safe_dump(document), "utf-8")
        try:
            load_cost_model(workspace)
        except ConfigurationError as error:
            refused += 1
            assert all(problem.file.startswith("cost_model/") for problem in error.problems)
        (tmp_path / name).write_text(FILES[name], "utf-8")
    assert refused > RUNS / 2
