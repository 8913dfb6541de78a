"""The parsed dbt project, kept for all workspaces of a checkout.

Parsing takes dbt some four seconds and depends on the files of the project alone. The result of a
first run is kept in `dbt_project/target/parsed` under the hash of these files, so that another
workspace, or the next run, starts with it. A project that changed has another hash: what is found
is never older than the files, and dbt compares them once more.

Where the checkout cannot be written, or two runs write at once, nothing is lost but the time.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from importlib.metadata import version
from pathlib import Path

PARSED_NAME = "partial_parse.msgpack"
"""What dbt calls it in its target directory."""
ENDINGS = ("sql", "py", "yml")
WRITTEN_BY_DBT = ("target", "logs")
LIBRARIES = ("dbt-core", "dbt-duckdb")


def provide_parsed_project(project: Path, target: Path) -> None:
    """Put the kept result into dbt's `target` directory, where there is one for these files."""
    kept = _name_kept(project)
    if kept.is_file():
        target.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(kept, target / PARSED_NAME)


def keep_parsed_project(project: Path, target: Path) -> None:
    """Keep what dbt has parsed, in the place of what was kept of other files."""
    kept = _name_kept(project)
    if kept.is_file():
        return
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        fresh = kept.with_suffix(f".{uuid.uuid4().hex}")
        shutil.copyfile(target / PARSED_NAME, fresh)
        os.replace(fresh, kept)
        for old in kept.parent.glob("*.msgpack"):
            if old != kept:
                old.unlink(missing_ok=True)
    except OSError:
        return


def _name_kept(project: Path) -> Path:
    digest = hashlib.sha256(" ".join(version(name) for name in LIBRARIES).encode())
    for path in sorted(path for ending in ENDINGS for path in project.rglob(f"*.{ending}")):
        relative = path.relative_to(project)
        if relative.parts[0] not in WRITTEN_BY_DBT:
            digest.update(f"{relative}\0".encode() + path.read_bytes() + b"\0")
    return project / "target" / "parsed" / f"{digest.hexdigest()}.msgpack"
