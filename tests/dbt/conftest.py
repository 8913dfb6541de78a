"""Builds that all tests of the dbt project share: one build takes half a minute."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.warehouse.dbt_runner import CATALOGUE, PROJECT_DIRECTORY
from pipelines.warehouse.lake_views import create_lake_views, list_active_loads
from pipelines.warehouse.publication import read_publication

from .golden import Golden, build_golden


@pytest.fixture(scope="session")
def small_company(tmp_path_factory: pytest.TempPathFactory) -> Golden:
    return build_golden("small_company", tmp_path_factory.mktemp("golden"))


@pytest.fixture(scope="session")
def step_down(tmp_path_factory: pytest.TempPathFactory) -> Golden:
    return build_golden("step_down", tmp_path_factory.mktemp("golden"))


@pytest.fixture(scope="session")
def direct(tmp_path_factory: pytest.TempPathFactory) -> Golden:
    return build_golden("direct", tmp_path_factory.mktemp("golden"))


@pytest.fixture(scope="session")
def reciprocal(tmp_path_factory: pytest.TempPathFactory) -> Golden:
    return build_golden("reciprocal", tmp_path_factory.mktemp("golden"))


@pytest.fixture(scope="session")
def tag_rules(tmp_path_factory: pytest.TempPathFactory) -> Golden:
    return build_golden("tag_rules", tmp_path_factory.mktemp("golden"))


@pytest.fixture(scope="session")
def methods(tmp_path_factory: pytest.TempPathFactory) -> Golden:
    return build_golden("methods", tmp_path_factory.mktemp("golden"))


@pytest.fixture(scope="session")
def finance_practice(tmp_path_factory: pytest.TempPathFactory) -> Golden:
    return build_golden("finance_practice", tmp_path_factory.mktemp("golden"))


@pytest.fixture(scope="session")
def bill_bridge(tmp_path_factory: pytest.TempPathFactory) -> Golden:
    return build_golden("bill_bridge", tmp_path_factory.mktemp("golden"))


@pytest.fixture(scope="session")
def prices(tmp_path_factory: pytest.TempPathFactory) -> Golden:
    return build_golden("prices", tmp_path_factory.mktemp("golden"))


@dataclass(frozen=True)
class OpenWarehouse:
    """A copy of the small company's warehouse with its staging views, as dbt left it."""

    database: Path
    compiled: Path
    """Where the build left the SQL of every test, with names resolved."""
    manifest: Path
    unit_test_output: str
    unit_test_code: int


@pytest.fixture(scope="session")
def warehouse(small_company: Golden, tmp_path_factory: pytest.TempPathFactory) -> OpenWarehouse:
    """The published file drops what reads the lake; here it is put back, and dbt's unit tests run.

    The copy has the name of the file that dbt filled, after which DuckDB names the catalogue that
    compiled SQL reads.
    """
    workspace, books = small_company.workspace, small_company.books
    name = read_publication(workspace).files[0].name
    directory = tmp_path_factory.mktemp("warehouse")
    database = directory / f"{CATALOGUE}.duckdb"
    shutil.copyfile(workspace.warehouse / name, database)
    target = workspace.warehouse / ".dbt" / "target"
    with duckdb.connect(str(database)) as connection:
        create_lake_views(connection, list_active_loads(workspace, books))
        restore_staging(connection, json.loads((target / "manifest.json").read_text("utf-8")))
    result = run_dbt(["test", "--select", "test_type:unit"], database, directory)
    return OpenWarehouse(
        database,
        target / "compiled" / "apportion",
        target / "manifest.json",
        result.stdout,
        result.returncode,
    )


@pytest.fixture
def broken(warehouse: OpenWarehouse) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection whose changes are rolled back after the test."""
    with duckdb.connect(str(warehouse.database)) as connection:
        connection.begin()
        yield connection
        connection.rollback()


def restore_staging(connection: duckdb.DuckDBPyConnection, manifest: dict[str, Any]) -> None:
    """Create the staging views from the SQL that the build compiled, each after its inputs."""
    nodes = manifest["nodes"]
    waiting = {key for key, node in nodes.items() if node["schema"] == "staging"}
    connection.execute("create schema staging")
    while waiting:
        ready = {key for key in waiting if not waiting & set(nodes[key]["depends_on"]["nodes"])}
        assert ready, waiting
        for key in sorted(ready):
            connection.execute(
                f"create view staging.{nodes[key]['name']} as {nodes[key]['compiled_code']}"
            )
        waiting -= ready


def run_dbt(arguments: list[str], database: Path, state: Path) -> subprocess.CompletedProcess[str]:
    """One dbt command on `database`, with its output as text."""
    environment = os.environ | {
        "APPORTION_BUILD_DATABASE": str(database),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
        "PYTHONPATH": str(PROJECT_DIRECTORY.parent),
    }
    command, *rest = arguments
    return subprocess.run(
        [
            *(sys.executable, "-m", "dbt.cli.main", command),
            *("--project-dir", str(PROJECT_DIRECTORY)),
            *("--profiles-dir", str(PROJECT_DIRECTORY)),
            *("--target-path", str(state / "target")),
            *("--log-path", str(state / "logs")),
            *rest,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        cwd=PROJECT_DIRECTORY,
        check=False,
    )
