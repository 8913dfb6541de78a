"""Fixtures for every test, and which tests run one after the other.

Tests run several at a time, each in one of a few processes. Those that share builds run in one
process, and begin first: all of tests/dbt, and each file of tests/e2e. Marks of groups
(`xdist_group`) would say the same, but the two versions that are locked do not understand each
other: since pytest 9 the id of a test is no text that pytest-xdist could add the group to.
"""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.postgres_server import postgres, postgres_database

__all__ = ["postgres", "postgres_database"]


class SharedBuildsTogether(LoadScopeScheduling):  # type: ignore[misc]
    """Hands out the tests that share a build as one piece, others one by one."""

    def _split_scope(self, nodeid: str) -> str:
        file = PurePosixPath(nodeid.split("::", 1)[0])
        if file.is_relative_to("tests/dbt"):
            return "tests/dbt"
        return str(file) if file.is_relative_to("tests/e2e") else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """The distribution of `--dist loadscope`."""
    return SharedBuildsTogether(config, log)
