"""Where the documentation tests find what they read."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def root() -> Path:
    return Path(__file__).parents[3]


@pytest.fixture(scope="session")
def reference(root: Path) -> Path:
    return root / "docs" / "reference"


@pytest.fixture(scope="session")
def readme(root: Path) -> str:
    return (root / "README.md").read_text("utf-8")
