"""A copy of a built workspace in a moment, for tests that do something to each of many copies."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

UNCHANGING = ("inbox", "lake", "cost_model", "mappings", "notices")
OUTPUT_NAME = "output.txt"
"""What a test lets a command write its output to, in the workspace; it is not copied."""


def copy_workspace(source: Path, target: Path) -> Path:
    """What no step of a close may write is linked, books and pointer are copied."""
    target.mkdir(parents=True)
    for path in source.iterdir():
        if path.name in UNCHANGING:
            (target / path.name).symlink_to(path.resolve())
        elif path.is_file() and path.name != OUTPUT_NAME:
            shutil.copy2(path, target / path.name)
    # Frozen and published files are never written again; one that were would show in the source.
    shutil.copytree(
        source / "warehouse",
        target / "warehouse",
        copy_function=os.link,
        ignore=shutil.ignore_patterns(".*"),
    )
    return target
