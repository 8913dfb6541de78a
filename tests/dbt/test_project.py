"""The dbt project itself: its unit tests pass, and what it publishes is described."""

from __future__ import annotations

import json
import re
from typing import Any

import duckdb
import pytest

from pipelines.warehouse.dbt_runner import PROJECT_DIRECTORY

from .conftest import OpenWarehouse

# The models that divide or round money; each has a dbt unit test with figures worked by hand.
ALLOCATION_MODELS = {
    "int_ledger__lines",
    "int_cost_pools__rule_matches",
    "int_towers__cells",
    "int_services__cells",
    "int_delivered_services__cells",
    "int_consumers__cells",
    "int_charges__lines",
    "int_fairness__bills",
}


@pytest.fixture(scope="module")
def manifest(warehouse: OpenWarehouse) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(warehouse.manifest.read_text("utf-8"))
    return value


@pytest.fixture(scope="module")
def models(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    return [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]


def test_dbt_unit_tests_pass(warehouse: OpenWarehouse, manifest: dict[str, Any]) -> None:
    assert warehouse.unit_test_code == 0, warehouse.unit_test_output
    passed = re.findall(r"PASS (\w+::\w+)", warehouse.unit_test_output)
    assert len(set(passed)) == len(manifest["unit_tests"])
    assert {name.split("::")[0] for name in passed} >= ALLOCATION_MODELS


def test_every_model_says_what_a_row_is(models: list[dict[str, Any]]) -> None:
    vague = [m["name"] for m in models if not m["description"].startswith("One row per ")]
    assert models
    assert vague == []


def test_every_mart_has_an_enforced_contract(models: list[dict[str, Any]]) -> None:
    marts = [model for model in models if model["schema"] == "marts"]
    loose = [model["name"] for model in marts if not model["config"]["contract"]["enforced"]]
    assert marts
    assert loose == []


def test_every_column_of_the_marts_is_described(
    models: list[dict[str, Any]], broken: duckdb.DuckDBPyConnection
) -> None:
    described = {
        (model["name"], name)
        for model in models
        if model["schema"] == "marts"
        for name, column in model["columns"].items()
        if column["description"]
    }
    built = broken.execute(
        "select table_name, column_name from duckdb_columns() where schema_name = 'marts'"
    ).fetchall()
    assert described == set(built)


def test_every_macro_and_argument_is_described(manifest: dict[str, Any]) -> None:
    macros = {
        macro["name"]: macro
        for macro in manifest["macros"].values()
        if macro["package_name"] == "apportion"
    }
    files = {path.stem for path in (PROJECT_DIRECTORY / "macros").glob("*.sql")}
    assert set(macros) == files
    for name, macro in macros.items():
        text = (PROJECT_DIRECTORY / "macros" / f"{name}.sql").read_text("utf-8")
        found = re.search(rf"macro {name}\((.*?)\)\s*-?%}}", text, re.DOTALL)
        assert found is not None
        arguments = re.findall(r"(\w+)(?:=(?:'[^']*'|\w+))?(?:,|$)", found[1])
        assert macro["description"], name
        assert [item["name"] for item in macro["arguments"]] == arguments, name
        assert all(item["description"] for item in macro["arguments"]), name
