"""What dbt has parsed serves every workspace, until a file of the project changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.warehouse.compiled_models import name_catalogue
from pipelines.warehouse.parsed_project import (
    PARSED_NAME,
    keep_parsed_project,
    provide_parsed_project,
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    models = tmp_path / "project" / "models"
    models.mkdir(parents=True)
    (models / "a.sql").write_text("select 1")
    return models.parent


def _keep(project: Path, target: Path, parsed: bytes) -> None:
    target.mkdir(parents=True, exist_ok=True)
    (target / PARSED_NAME).write_bytes(parsed)
    keep_parsed_project(project, target)


def test_what_one_workspace_parsed_is_given_to_the_next(project: Path, tmp_path: Path) -> None:
    _keep(project, tmp_path / "first", b"parsed")
    provide_parsed_project(project, tmp_path / "second")
    assert (tmp_path / "second" / PARSED_NAME).read_bytes() == b"parsed"


def test_a_changed_file_is_not_given_what_was_parsed_before(project: Path, tmp_path: Path) -> None:
    _keep(project, tmp_path / "first", b"before")
    (project / "models" / "a.sql").write_text("select 2")
    provide_parsed_project(project, tmp_path / "second")
    assert not (tmp_path / "second").exists()
    _keep(project, tmp_path / "first", b"after")
    (kept,) = (project / "target" / "parsed").iterdir()
    assert kept.read_bytes() == b"after"


def test_what_dbt_writes_into_the_project_changes_nothing(project: Path, tmp_path: Path) -> None:
    _keep(project, tmp_path / "first", b"parsed")
    compiled = project / "target" / "compiled"
    compiled.mkdir()
    (compiled / "a.sql").write_text("select 1 as compiled")
    provide_parsed_project(project, tmp_path / "second")
    assert (tmp_path / "second" / PARSED_NAME).read_bytes() == b"parsed"


def test_a_run_that_parsed_nothing_keeps_nothing(project: Path, tmp_path: Path) -> None:
    keep_parsed_project(project, tmp_path / "never_written")
    provide_parsed_project(project, tmp_path / "second")
    assert not (tmp_path / "second").exists()


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ('from "apportion_build"."marts"."a"', 'from "run-1"."marts"."a"'),
        ("from apportion_build.marts.a", 'from "run-1".marts.a'),
        ("select 'apportion_build' as a", "select 'apportion_build' as a"),
        ("from my_apportion_build.marts.a", "from my_apportion_build.marts.a"),
    ],
)
def test_kept_sql_names_the_catalogue_of_the_published_file(sql: str, expected: str) -> None:
    assert name_catalogue(sql, "run-1") == expected
