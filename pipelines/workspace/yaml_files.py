"""Read YAML files into typed models, with the line number of every error.

Assumes UTF-8 text with one mapping at the top. Guarantees that every problem of a file is
reported at once, each with file and line. Duplicate keys are refused, which PyYAML would accept
silently and keep the last. A number with a point is read as a Decimal, digit by digit, so that a
percentage or an amount is what the file says and not the float nearest to it.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from pipelines.errors import ConfigurationError, Problem

Model = TypeVar("Model", bound=BaseModel)
Path_ = tuple[str | int, ...]

PLAIN_DECIMAL = re.compile(r"[-+]?(\d+\.\d*|\.\d+)")
EXPECTED_WORDS = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "decimal_type": "a number",
    "decimal_parsing": "a number",
    "date_type": "a date such as 2026-03-31",
    "date_parsing": "a date such as 2026-03-31",
    "date_from_datetime_parsing": "a date such as 2026-03-31",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
SHOWN_CHARACTERS = 80
SCALARS = (bool, int, float, Decimal, date)


class _Loader(yaml.SafeLoader):
    """SafeLoader, but for numbers with a point."""


def _construct_number(loader: _Loader, node: yaml.ScalarNode) -> Any:
    text = str(node.value)
    if PLAIN_DECIMAL.fullmatch(text):
        return Decimal(text)
    return loader.construct_yaml_float(node)


_Loader.add_constructor("tag:yaml.org,2002:float", _construct_number)


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
    document, problems, lines = read_yaml_document(path, root=root)
    if document is None:
        return None, problems, lines
    value, problems = validate_document(document, model, _name_file(path, root), lines)
    return value, problems, lines


def read_yaml_document(
    path: Path, *, root: Path | None = None
) -> tuple[Any, list[Problem], dict[Path_, int]]:
    """What the file holds or None, why it cannot be read, and the line of every node."""
    name = _name_file(path, root)
    text = _read_text(path, name)
    if isinstance(text, Problem):
        return None, [text], {}
    lines: dict[Path_, int] = {}
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None, [Problem(name, "is empty", expected="a mapping")], {}
        lines, problems = _index_lines(node, name)
        if problems:
            return None, problems, lines
        return loader.construct_document(node), [], lines
    except yaml.YAMLError as error:
        return None, [_explain_yaml_error(error, name)], {}
    except RecursionError:
        expected = "lists and mappings a few levels deep"
        return None, [Problem(name, "is nested too deeply to be read", expected=expected)], lines
    except ValueError as error:
        # A value such as the date 2026-02-31.
        return None, [Problem(name, f"holds a value that does not exist: {error}")], lines


def validate_document(
    document: Any, model: type[Model], name: str, lines: dict[Path_, int]
) -> tuple[Model | None, list[Problem]]:
    """The document as `model` or None, and what is wrong with it."""
    try:
        return model.model_validate(document), []
    except ValidationError as error:
        return None, [_to_problem(name, item, lines, model) for item in error.errors()]


def find_line(lines: dict[Path_, int], path: Path_) -> int:
    """Line of the node at `path`, or of its nearest ancestor that has one."""
    for end in range(len(path), -1, -1):
        if path[:end] in lines:
            return lines[path[:end]]
    return 1


def _name_file(path: Path, root: Path | None) -> str:
    return str(path.relative_to(root)) if root else str(path)


def _read_text(path: Path, name: str) -> str | Problem:
    try:
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        remedy = "Make it, or start from a template with 'apportion init'."
        return Problem(name, "file is missing", remedy=remedy)
    except UnicodeDecodeError as error:
        found = f"the byte 0x{error.object[error.start]:02X} at byte {error.start}"
        return Problem(name, "is not UTF-8", expected="UTF-8 text", found=found)
    except OSError as error:
        return Problem(name, "cannot be read", found=error.strerror or str(error))


def _explain_yaml_error(error: yaml.YAMLError, name: str) -> Problem:
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        context = f"{error.context}: " if error.context else ""
        line = mark.line + 1 if mark else 1
        return Problem(f"{name}:{line}", f"is not YAML: {context}{error.problem}")
    return Problem(name, f"is not YAML: {error}")


def _index_lines(root: yaml.Node, name: str) -> tuple[dict[Path_, int], list[Problem]]:
    """The line of every node by its path, and the keys that occur twice in one mapping."""
    lines: dict[Path_, int] = {}
    problems: list[Problem] = []
    walked: set[int] = set()

    def walk(node: yaml.Node, path: Path_) -> None:
        lines.setdefault(path, node.start_mark.line + 1)
        # An alias leads to a node again, maybe to one that it is part of.
        if id(node) in walked:
            return
        walked.add(id(node))
        if isinstance(node, yaml.MappingNode):
            first: dict[str, int] = {}
            for key, child in node.value:
                text, line = str(key.value), key.start_mark.line + 1
                if text in first:
                    message = f"the key '{text}' occurs twice in one mapping"
                    remedy = f"It stands in line {first[text]} already: keep one."
                    problems.append(Problem(f"{name}:{line}", message, remedy=remedy))
                first[text] = line
                lines[(*path, text)] = line
                walk(child, (*path, text))
        elif isinstance(node, yaml.SequenceNode):
            for index, child in enumerate(node.value):
                walk(child, (*path, index))

    walk(root, ())
    return lines, problems


def _to_problem(name: str, item: Any, lines: dict[Path_, int], model: type[BaseModel]) -> Problem:
    path = _drop_tags(tuple(item["loc"]), lines)
    where = f"{name}:{find_line(lines, path)}"
    field = ".".join(str(part) for part in path) or None
    if item["type"] == "extra_forbidden":
        known = _list_keys(model, path[:-1])
        close = get_close_matches(str(path[-1]), known, n=1)
        hint = f"Is '{close[0]}' meant?" if close else f"Known keys: {', '.join(known)}."
        return Problem(where, f"unknown key '{path[-1]}'", field=field, remedy=hint)
    if item["type"] == "missing":
        return Problem(where, f"the key '{path[-1]}' is missing", field=field)
    expected, message = _find_expectation(item)
    is_text_meant = item["type"] == "string_type" and isinstance(item["input"], SCALARS)
    remedy = "Put it in quotes." if is_text_meant else None
    found = None if _may_be_secret(path, item["input"]) else _show_input(item["input"])
    return Problem(where, message, None, field, found, expected, remedy)


def _drop_tags(path: Path_, lines: dict[Path_, int]) -> Path_:
    """The path as the file has it: pydantic puts the kind of a member of a union into it."""
    result: Path_ = ()
    for number, part in enumerate(path, start=1):
        if number == len(path) or isinstance(part, int) or (*result, part) in lines:
            result = (*result, part)
    return result


def _may_be_secret(path: Path_, value: Any) -> bool:
    """Whether somebody may have put a secret where the name of its variable belongs."""
    names_variable = bool(path) and str(path[-1]).endswith("_variable")
    return names_variable or (isinstance(value, str) and "://" in value and "@" in value)


def _find_expectation(item: Any) -> tuple[str | None, str]:
    """What was expected, where pydantic says so in a way that people understand, and a message."""
    context = item.get("ctx", {})
    if item["type"] == "value_error":
        return None, str(item["msg"]).removeprefix("Value error, ")
    if item["type"] == "literal_error":
        return f"one of {context['expected']}", "is not one of the allowed values"
    if item["type"] == "string_pattern_mismatch":
        return f"a text of the form {context['pattern']}", "has the wrong form"
    if item["type"] in EXPECTED_WORDS:
        return EXPECTED_WORDS[item["type"]], "has the wrong type"
    return None, str(item["msg"])


def _show_input(value: Any) -> str | None:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    shown = str(value) if isinstance(value, Decimal) else repr(value)
    return shown if len(shown) <= SHOWN_CHARACTERS else f"{shown[:SHOWN_CHARACTERS]}…"


def _list_keys(model: type[BaseModel], path: Path_) -> list[str]:
    """Keys that the mapping at `path` may have; empty where the path leads into no model."""
    current: list[type[BaseModel]] = [model]
    for part in path:
        annotations = [
            item.model_fields[str(part)].annotation for item in current if part in item.model_fields
        ]
        # A list index or a free key stays within the models found so far.
        if annotations:
            current = [found for annotation in annotations for found in _find_models(annotation)]
    return list(dict.fromkeys(key for item in current for key in item.model_fields))


def _find_models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (Union, UnionType, list, dict, tuple):
        return [model for part in get_args(annotation) for model in _find_models(part)]
    return []
