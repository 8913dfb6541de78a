"""One built sample company for all end-to-end tests that only read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.closed_year import Year, make_year, read_year
from tests.e2e.command import run_apportion
from tests.shared_build import build_once

ANSWER_NAME = "answer.json"


@pytest.fixture(scope="session")
def sample_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A workspace of the sample company after its first run, and what the run answered."""
    directory = build_once(tmp_path_factory, "sample_company", _run_sample)
    answer = json.loads((directory / ANSWER_NAME).read_text("utf-8"))
    return directory / "sample", answer


def _run_sample(directory: Path) -> None:
    workspace = directory / "sample"
    run_apportion("init", workspace, "--template", "sample")
    answer = run_apportion("run", "--json", "-w", workspace).stdout
    (directory / ANSWER_NAME).write_text(answer, "utf-8")


@pytest.fixture(scope="session")
def sample(sample_run: tuple[Path, dict[str, Any]]) -> Path:
    """The workspace alone."""
    return sample_run[0]


@pytest.fixture(scope="session")
def year(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Year:
    """Twelve closed months, for tests that only read them."""
    return read_year(
        build_once(tmp_path_factory, "closed_year", lambda target: make_year(sample, target))
    )
