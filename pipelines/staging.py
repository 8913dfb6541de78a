"""Directories that one process fills, and that the next one removes where it was killed.

A process holds a lock on its directory while it works. What nobody holds was left by one that was
killed.
"""

from __future__ import annotations

import fcntl
import glob
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def staged_directory(parent: Path, prefix: str = "") -> Iterator[Path]:
    """A new directory below `parent`, made if needed, that is locked while it is used. It is
    removed on leaving, unless it was moved into place."""
    parent.mkdir(parents=True, exist_ok=True)
    directory, lock = _make_locked(parent, prefix)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        os.close(lock)


def sweep_killed(parent: Path, prefix: str = "") -> None:
    """Remove the directories below `parent`, those of a prefix, that no living process holds."""
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


def _make_locked(parent: Path, prefix: str) -> tuple[Path, int]:
    while True:
        directory = parent / f"{prefix}{uuid.uuid4().hex}"
        directory.mkdir()
        try:
            lock = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Between its making and its locking another process may have swept it away.
        if directory.exists():
            return directory, lock
        os.close(lock)
