"""Every setting and every key of the rule files is documented with its default, and no other."""

from __future__ import annotations

from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pipelines.workspace.schemas import MODELS
from tests.unit.docs.markdown_text import read_table_rows, split_sections


def list_keys(model: type[BaseModel], prefix: str = "") -> dict[str, FieldInfo]:
    """Fields by their path: 'calendar.first_period', 'rules[].id', 'sources.NAME.inbox'."""
    found: dict[str, FieldInfo] = {}
    for name, field in model.model_fields.items():
        path = f"{prefix}{field.alias or name}"
        found[path] = field
        for child, mark in _find_models(field.annotation):
            found |= list_keys(child, f"{path}{mark}.")
    return found


def _find_models(annotation: Any, mark: str = "") -> list[tuple[type[BaseModel], str]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [(annotation, mark)]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is list:
        return _find_models(arguments[0], "[]")
    if origin is dict:
        return _find_models(arguments[1], ".NAME")
    if origin in (Union, UnionType):
        return [found for argument in arguments for found in _find_models(argument, mark)]
    return []


def describe_default(field: FieldInfo) -> set[str]:
    """How the documentation may write the default of a field."""
    if field.is_required():
        return {"required"}
    default = field.get_default(call_default_factory=True)
    if default is None or isinstance(default, BaseModel):
        return {"none", "see below"}
    if isinstance(default, list) and default:
        return {"see below"}
    if default in ("", [], {}):
        return {"empty"}
    return {f"`{str(default).lower() if isinstance(default, bool) else default}`"}


def read_keys(text: str) -> dict[str, str]:
    """Documented keys and their defaults: the tables with the head 'key | default | meaning'."""
    keys: dict[str, str] = {}
    in_table = False
    for row in read_table_rows(text):
        if row[0] == "key":
            in_table = True
        elif not row[0].startswith("`"):
            in_table = in_table and set(row[0]) <= set("-:")
        elif in_table and len(row) == 3:
            assert row[0] not in keys, f"{row[0]} is documented twice"
            assert row[2], f"{row[0]} has no meaning"
            keys[row[0].strip("`")] = row[1]
    return keys


def read_documented(reference: Path, name: str) -> dict[str, str]:
    if name == "apportion":
        text = (reference / "workspace.md").read_text("utf-8").split("## Mappings")[0]
        return read_keys(text)
    text = (reference / "cost_model.md").read_text("utf-8")
    return read_keys(split_sections(text, 2)[f"{name}.yml"])


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_key_is_documented_and_no_other(name: str, reference: Path) -> None:
    assert set(read_documented(reference, name)) == set(list_keys(MODELS[name]))


@pytest.mark.parametrize("name", sorted(MODELS))
def test_defaults_are_documented(name: str, reference: Path) -> None:
    documented = read_documented(reference, name)
    wrong = {
        key: (documented[key], describe_default(field))
        for key, field in list_keys(MODELS[name]).items()
        if documented[key] not in describe_default(field)
    }
    assert wrong == {}


def test_a_key_has_the_path_that_a_reader_writes() -> None:
    keys = list_keys(MODELS["apportion"])
    assert "calendar.first_period" in keys
    assert "sources.NAME.detail_feed.claims.account" in keys
    assert "rules[].split.fallback" in list_keys(MODELS["towers"])


def test_choices_are_documented(reference: Path) -> None:
    from typing import get_args

    from pipelines.cost_model.schema import Driver
    from pipelines.cost_model.splits import Fallback, Method

    text = (reference / "cost_model.md").read_text("utf-8")
    sections = split_sections(text, 2)
    kinds = get_args(Driver.model_fields["kind"].annotation)
    for section, choices in (
        ("Methods", get_args(Method)),
        ("Fallbacks", get_args(Fallback)),
        ("Senders", kinds),
    ):
        rows = {row[0].strip("`") for row in read_table_rows(sections[section])[2:]}
        assert rows == set(choices)


def test_mappings_are_documented(reference: Path) -> None:
    from pipelines.mappings.mapping import list_mapping_ids

    text = (reference / "workspace.md").read_text("utf-8")
    rows = read_table_rows(split_sections(text, 2)["Mappings"])
    assert [row[0].strip("`") for row in rows[2:]] == list(list_mapping_ids())


def test_environment_variables_are_documented(root: Path, reference: Path) -> None:
    """Those that the program reads; the one that it passes to dbt is no setting."""
    import re

    found: set[str] = set()
    for path in [*(root / "pipelines").rglob("*.py"), *(root / "app").rglob("*.py")]:
        found |= set(re.findall(r'"(APPORTION_[A-Z_]+)"', path.read_text("utf-8")))
    text = (reference / "workspace.md").read_text("utf-8")
    rows = read_table_rows(split_sections(text, 2)["Environment"])
    assert {row[0].strip("`") for row in rows[2:]} == found - {"APPORTION_BUILD_DATABASE"}
