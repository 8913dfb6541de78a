"""Make a workspace from a template: copied whole, or not at all.

The template `ledger` takes the files of a company's first day and writes rules for them.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import UsageError
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    from pipelines.first_showback.write_first_showback import FirstFiles, FirstShowback

TEMPLATES = {
    "sample": Path(__file__).parents[2] / "data" / "samples",
    "cloud": Path(__file__).parent / "templates" / "cloud",
    "empty": Path(__file__).parent / "templates" / "empty",
    "ledger": Path(__file__).parent / "templates" / "ledger",
}


def init_workspace(directory: Path, template: str) -> Workspace:
    """Copy `template` to `directory`. Raises UsageError if something is there already."""
    with _make_workspace(directory, template):
        pass
    return Workspace.open(directory)


def init_first_showback(directory: Path, files: FirstFiles) -> tuple[Workspace, FirstShowback]:
    """Make a workspace of the template `ledger` with those files in it. Raises UsageError where one
    of them cannot be used; then there is no workspace."""
    from pipelines.first_showback.write_first_showback import write_first_showback

    with _make_workspace(directory, "ledger") as staging:
        showback = write_first_showback(staging, files)
    return Workspace.open(directory), showback


@contextmanager
def _make_workspace(directory: Path, template: str) -> Iterator[Path]:
    """A copy of the template, to be changed; put into place on leaving, unless something failed."""
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
        yield staging
        if target.exists():
            target.rmdir()
        os.replace(staging, target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
