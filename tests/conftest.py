"""Fixtures for every test, and which tests run one after the other.

Tests run several at a time, each in one of a few processes. Those that share builds run in one
process, so that a build is made once: all of tests/dbt, and each file of tests/e2e.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.postgres_server import postgres, postgres_database

__all__ = ["postgres", "postgres_database"]

TESTS = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)  # The distribution reads the marks in the same hook.
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what shares a build as one group."""
    for item in items:
        place, *rest = item.path.relative_to(TESTS).parts
        if place == "dbt":
            item.add_marker(pytest.mark.xdist_group(place))
        elif place == "e2e":
            item.add_marker(pytest.mark.xdist_group(rest[0]))
