"""A company per test: a copy of one whose books are made once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.landing.company import Company, make_company, open_company


@pytest.fixture(scope="session")
def empty_company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a company without deliveries; not to be written to."""
    root = tmp_path_factory.mktemp("template") / "works"
    make_company(root).books.close()
    return root


@pytest.fixture
def company(tmp_path: Path, empty_company: Path) -> Iterator[Company]:
    shutil.copytree(empty_company, tmp_path / "works")
    made = open_company(tmp_path / "works")
    yield made
    made.books.close()
