"""Fixtures for every test, and which tests run one after the other.

Tests run several at a time. Those of one directory that share a build run in one process, one after
the other, and begin first. Marks of groups (`xdist_group`) would say the same, but the two versions
that are locked do not understand each other: since pytest 9 the id of a test is no text that
pytest-xdist could add the group to.
"""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.postgres_server import postgres, postgres_database

__all__ = ["postgres", "postgres_database"]

TOGETHER = ("tests/dbt", "tests/e2e")


class OneBuildPerDirectory(LoadScopeScheduling):  # type: ignore[misc]
    """Hands out the tests of a directory that shares a build as one piece, others one by one."""

    def _split_scope(self, nodeid: str) -> str:
        directory = str(PurePosixPath(nodeid.split("::", 1)[0]).parent)
        return directory if directory in TOGETHER else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """The distribution of `--dist loadscope`."""
    return OneBuildPerDirectory(config, log)
