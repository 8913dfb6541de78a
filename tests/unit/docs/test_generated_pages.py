"""Pages that the code writes are what it would write now, and hold all that there is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pipelines.contracts.contract import list_contract_ids, load_contract
from pipelines.contracts.document import document_contracts
from pipelines.warehouse.document import (
    MACROS_DIRECTORY,
    MARTS_DIRECTORY,
    document_macros,
    document_marts,
    read_marts,
)
from pipelines.workspace.schemas import MODELS, render_schema
from tests.unit.docs.markdown_text import read_first_cells, split_sections


def test_contracts_page_is_current(reference: Path) -> None:
    text = (reference / "contracts.md").read_text("utf-8")
    assert text == document_contracts(), "run: python -m pipelines.contracts.document"


@pytest.mark.parametrize("contract_id", list_contract_ids())
def test_every_contract_field_is_documented(contract_id: str, reference: Path) -> None:
    section = split_sections((reference / "contracts.md").read_text("utf-8"), 2)[contract_id]
    names = {field.name for field in load_contract(contract_id).fields}
    assert names <= read_first_cells(section)


def test_marts_page_is_current(reference: Path) -> None:
    text = (reference / "marts.md").read_text("utf-8")
    assert text == document_marts(), "run: python -m pipelines.warehouse.document"


def test_every_mart_is_declared_with_a_description() -> None:
    declared = {str(mart["name"]): mart for mart in read_marts()}
    assert set(declared) == {path.stem for path in MARTS_DIRECTORY.glob("*.sql")}
    for name, mart in declared.items():
        assert str(mart["description"]).startswith("One row per"), name
        assert all(column.get("description") for column in mart["columns"]), name


@pytest.mark.parametrize("mart", read_marts(), ids=lambda mart: str(mart["name"]))
def test_every_mart_column_is_documented(mart: dict[str, object], reference: Path) -> None:
    section = split_sections((reference / "marts.md").read_text("utf-8"), 2)[str(mart["name"])]
    columns = mart["columns"]
    assert isinstance(columns, list)
    assert read_first_cells(section) == {column["name"] for column in columns}


def test_macros_page_is_current(reference: Path) -> None:
    text = (reference / "macros.md").read_text("utf-8")
    assert text == document_macros(), "run: python -m pipelines.warehouse.document"


def test_every_macro_is_documented_with_its_arguments(reference: Path) -> None:
    sections = split_sections((reference / "macros.md").read_text("utf-8"), 2)
    files = sorted(MACROS_DIRECTORY.glob("*.sql"))
    assert set(sections) - {"Macros"} == {path.stem for path in files}
    for path in files:
        found = re.search(r"macro\s+(\w+)\(([^)]*)\)", path.read_text("utf-8"))
        assert found is not None
        assert found[1] == path.stem
        for argument in found[2].split(","):
            name = argument.split("=")[0].strip()
            assert name in sections[path.stem], f"{path.stem}: {name}"


@pytest.mark.parametrize("name", sorted(MODELS))
def test_schema_is_current(name: str, reference: Path) -> None:
    text = (reference / "schemas" / f"{name}.json").read_text("utf-8")
    assert text == render_schema(name), "run: python -m pipelines.workspace.schemas"
    schema = json.loads(text)
    assert schema["additionalProperties"] is False
    assert set(schema["properties"]) == set(MODELS[name].model_fields)


def test_no_schema_is_left_over(reference: Path) -> None:
    assert {path.stem for path in (reference / "schemas").glob("*.json")} == set(MODELS)
