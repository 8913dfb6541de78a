"""Directories that one command fills, and that the next one removes where it was killed."""

from __future__ import annotations

import fcntl
import glob
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def staged_directory(parent: Path, prefix: str) -> Iterator[Path]:
    """A new directory below `parent`, locked while it is used and removed afterwards, if it is
    still there. Those that killed commands left under the same prefix are removed first."""
    _sweep_killed(parent, prefix)
    directory = parent / f"{prefix}{os.getpid()}"
    directory.mkdir(parents=True)
    lock = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # Held while it is written, so that another command can tell it from what a killed one left.
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        os.close(lock)


def _sweep_killed(parent: Path, prefix: str) -> None:
    for directory in parent.glob(f"{glob.escape(prefix)}*"):
        try:
            lock = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(directory, ignore_errors=True)
        except BlockingIOError:
            pass
        finally:
            os.close(lock)
