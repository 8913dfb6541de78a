"""The sample company's committed files, read once for all of its tests."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from pipelines.cost_model.load import CostModel, load_cost_model
from pipelines.workspace.workspace import Workspace

SAMPLES = Path(__file__).parents[3] / "data" / "samples"

Rows = list[dict[str, str]]


@pytest.fixture(scope="session")
def samples() -> Path:
    """The workspace that `apportion init --template sample` copies."""
    return SAMPLES


@pytest.fixture(scope="session")
def deliveries(samples: Path) -> dict[str, Rows]:
    """Source -> all of its rows, files in order of name."""
    rows: dict[str, Rows] = {}
    for path in sorted(samples.glob("inbox/*/*.csv")):
        with path.open(encoding="utf-8", newline="") as stream:
            rows.setdefault(path.parent.name, []).extend(csv.DictReader(stream))
    return rows


@pytest.fixture(scope="session")
def model(samples: Path) -> CostModel:
    """The rule files, read and checked as a whole."""
    return load_cost_model(Workspace.open(samples))
