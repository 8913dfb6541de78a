"""Read a rule file as far as it goes, so that one mistake does not hide the next.

A rule whose form is wrong has a problem of its own. What it says besides is still worth comparing
with the other files: the service that it names, the priority that it has. So a file that has the
wrong form is read part by part; a part that cannot be read becomes None, or the text as it stands.
Such a model is for looking for more problems only, never for a build.

Limits: a file that is missing or no YAML is read as nothing at all. Checks that look at several
keys of one entry (shares that sum to 100) are left to the typed form.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError

from pipelines.cost_model.reference_checks import RuleFile
from pipelines.workspace.yaml_files import Path_, find_line, read_yaml_document, validate_document

Model = TypeVar("Model", bound=BaseModel)

SCALARS = (bool, int, float, str)


def read_rule_file(path: Path, model: type[Model], root: Path) -> tuple[Model | None, RuleFile]:
    """The file as `model`, in parts where its form is wrong, and its lines with its problems.

    None where there is nothing to read at all.
    """
    document, problems, lines = read_yaml_document(path, root=root)
    file = RuleFile(str(path.relative_to(root)), lines, problems)
    if document is None:
        return None, file
    value, found = validate_document(document, model, file.name, lines)
    entries = _list_entries(document)
    file.problems += [
        replace(problem, rule_id=_find_entry(problem.field, entries)) for problem in found
    ]
    return value if value is not None else _read_parts(model, document), file


def list_entry_places(path: Path, root: Path) -> dict[tuple[str, str], str]:
    """File and line of each entry of the lists at the top, by (list, id). Empty for no YAML."""
    document, _, lines = read_yaml_document(path, root=root)
    name = path.relative_to(root)
    places: dict[tuple[str, str], str] = {}
    for place, entry in _list_entries(document).items():
        places.setdefault((str(place[0]), entry), f"{name}:{find_line(lines, place)}")
    return places


def _list_entries(document: Any) -> dict[Path_, str]:
    """The ids of the entries of the lists at the top, by their path."""
    if not isinstance(document, dict):
        return {}
    return {
        (str(key), index): str(item["id"])
        for key, items in document.items()
        if isinstance(items, list)
        for index, item in enumerate(items)
        if isinstance(item, dict) and item.get("id") is not None
    }


def _find_entry(field: str | None, entries: dict[Path_, str]) -> str | None:
    """The entry that a problem is in, by the path of its field such as 'rules.0.split'."""
    section, _, rest = (field or "").partition(".")
    index = rest.split(".")[0]
    return entries.get((section, int(index))) if index.isdigit() else None


def _read_parts(model: type[Model], value: Any) -> Model:
    given = value if isinstance(value, dict) else {}
    parts: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if name in given:
            parts[name] = _read_part(field.annotation, given[name])
        elif field.is_required():
            parts[name] = _make_nothing(field.annotation)
        else:
            parts[name] = field.get_default(call_default_factory=True)
    return model.model_construct(_fields_set=set(parts) & set(given), **parts)


def _read_part(annotation: Any, value: Any) -> Any:
    try:
        return TypeAdapter(annotation).validate_python(value)
    except ValidationError:
        pass
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _read_part(arguments[0], value)
    if origin in (Union, UnionType):
        kind = next(item for item in arguments if item is not type(None))
        return None if value is None else _read_part(kind, value)
    if origin is list and isinstance(value, list):
        return [_read_part(arguments[0], item) for item in value]
    if origin is dict and isinstance(value, dict):
        return {str(key): _read_part(arguments[1], item) for key, item in value.items()}
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _read_parts(annotation, value)
    if annotation is str:
        return str(value) if isinstance(value, SCALARS) else ""
    return _make_nothing(annotation)


def _make_nothing(annotation: Any) -> Any:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _make_nothing(arguments[0])
    if origin in (list, dict):
        return origin()
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _read_parts(annotation, {})
    return "" if annotation is str else None
