"""One built sample company for all end-to-end tests that only read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import run_apportion


@pytest.fixture(scope="session")
def sample_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A workspace of the sample company after its first run, and what the run answered."""
    workspace = tmp_path_factory.mktemp("e2e") / "sample"
    run_apportion("init", workspace, "--template", "sample")
    answer = json.loads(run_apportion("run", "--json", "-w", workspace).stdout)
    return workspace, answer


@pytest.fixture(scope="session")
def sample(sample_run: tuple[Path, dict[str, Any]]) -> Path:
    """The workspace alone."""
    return sample_run[0]
