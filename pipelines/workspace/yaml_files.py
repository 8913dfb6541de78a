"""Read YAML files into typed models, with the line number of every error.

Assumes UTF-8 text with one mapping at the top. Guarantees that every problem of a file is
reported at once, each with file and line. Duplicate keys are refused, which PyYAML would accept
silently and keep the last.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from pipelines.errors import ConfigurationError, Problem

Model = TypeVar("Model", bound=BaseModel)
Path_ = tuple[str | int, ...]


def read_yaml_model(path: Path, model: type[Model], *, root: Path | None = None) -> Model:
    """Read one file as `model`. Raises ConfigurationError with all of its problems."""
    value, problems, _ = parse_yaml_model(path, model, root=root)
    if value is None or problems:
        raise ConfigurationError(problems)
    return value


def parse_yaml_model(
    path: Path, model: type[Model], *, root: Path | None = None
) -> tuple[Model | None, list[Problem], dict[Path_, int]]:
    """The model or None, the problems, and the line of every node by its path in the document."""
    name = str(path.relative_to(root)) if root else str(path)
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        remedy = "Make it, or start from a template with 'apportion init'."
        return None, [Problem(name, "file is missing", remedy=remedy)], {}
    except UnicodeDecodeError as error:
        return None, [Problem(name, f"is not UTF-8 at byte {error.start}")], {}
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return None, [Problem(f"{name}:{line}", f"is not YAML: {error.problem}")], {}
    if node is None:
        return None, [Problem(name, "is empty", expected="a mapping")], {}
    lines: dict[Path_, int] = {}
    problems: list[Problem] = []
    _walk(node, (), lines, problems, name)
    if problems:
        return None, problems, lines
    try:
        return model.model_validate(yaml.safe_load(text)), [], lines
    except yaml.YAMLError as error:
        return None, [Problem(name, f"is not YAML: {error}")], lines
    except ValidationError as error:
        return None, [_to_problem(name, item, lines) for item in error.errors()], lines


def find_line(lines: dict[Path_, int], path: Path_) -> int:
    """Line of the node at `path`, or of its nearest ancestor that has one."""
    for end in range(len(path), -1, -1):
        if path[:end] in lines:
            return lines[path[:end]]
    return 1


def _walk(
    node: yaml.Node,
    path: Path_,
    lines: dict[Path_, int],
    problems: list[Problem],
    name: str,
) -> None:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, child in node.value:
            text = str(key.value)
            if text in seen:
                where = f"{name}:{key.start_mark.line + 1}"
                problems.append(Problem(where, f"the key '{text}' occurs twice in one mapping"))
            seen.add(text)
            lines[(*path, text)] = key.start_mark.line + 1
            _walk(child, (*path, text), lines, problems, name)
    elif isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(node.value):
            _walk(child, (*path, index), lines, problems, name)


def _to_problem(name: str, item: Any, lines: dict[Path_, int]) -> Problem:
    path: Path_ = tuple(item["loc"])
    where = f"{name}:{find_line(lines, path)}"
    field = ".".join(str(part) for part in path) or None
    found = None if isinstance(item["input"], dict | list) else repr(item["input"])
    message = item["msg"].removeprefix("Value error, ")
    if item["type"] == "extra_forbidden":
        return Problem(
            where,
            f"unknown key '{path[-1]}'",
            field=field,
            remedy="Look for a typing error; the documented keys are in docs/reference/.",
        )
    if item["type"] == "missing":
        return Problem(where, f"the key '{path[-1]}' is missing", field=field)
    return Problem(where, message, field=field, found=found)
