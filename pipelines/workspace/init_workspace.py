"""Make a workspace from a template: copied whole, or not at all."""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path

from pipelines.errors import UsageError
from pipelines.workspace.workspace import Workspace

TEMPLATES = {
    "sample": Path(__file__).parents[2] / "data" / "samples",
    "cloud": Path(__file__).parent / "templates" / "cloud",
    "empty": Path(__file__).parent / "templates" / "empty",
}


def init_workspace(directory: Path, template: str) -> Workspace:
    """Copy `template` to `directory`. Raises UsageError if something is there already."""
    target = directory.resolve()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(
            f"{target}: expected a directory that does not exist or is empty, found files. "
            "Choose another directory."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}")
    try:
        shutil.copytree(TEMPLATES[template], staging)
        (staging / "inbox").mkdir(exist_ok=True)
        if target.exists():
            target.rmdir()
        os.replace(staging, target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return Workspace.open(target)
