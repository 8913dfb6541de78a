"""A directory that is made once for all processes that run tests."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest

DONE_NAME = ".done"


def build_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """The directory `name`, filled by `make` in the process that asks first; the others wait.

    Where `make` fails, the next one tries again. What is in it is to be read only.
    """
    base = factory.getbasetemp()
    # A process of several has a directory of its own within the one of the whole run.
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    directory = root / name
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (directory / DONE_NAME).exists():
            directory.mkdir(exist_ok=True)
            make(directory)
            (directory / DONE_NAME).touch()
    return directory
