"""Fixtures for every test, and which tests run one after the other.

Tests run several at a time. Those of one directory that share a build are marked as one group, for
a distribution by groups; a build may still be made once in each process.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.postgres_server import postgres, postgres_database

__all__ = ["postgres", "postgres_database"]

TESTS = Path(__file__).parent
TOGETHER = ("dbt", "e2e")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what shares a build as one group, before the distribution reads the marks."""
    for item in items:
        place = item.path.relative_to(TESTS).parts[0]
        if place in TOGETHER:
            item.add_marker(pytest.mark.xdist_group(place))
