"""What is published: `warehouse/CURRENT` names the files that readers attach.

The pointer is replaced atomically and names only files that are complete, checkpointed and
synced to disk, so a reader sees either the publication before or the one after, never a mixture.
A running reader keeps the files it attached; files are never changed under a name once named.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from pipelines.errors import ControlError, NothingPublishedError
from pipelines.workspace.workspace import Workspace

CURRENT_NAME = "CURRENT"


@dataclass(frozen=True)
class PublishedFile:
    """One immutable DuckDB file. `role` is 'open' (all open periods) or 'closed' (one period)."""

    name: str
    role: str
    sha256: str
    bytes: int
    period_id: str | None = None
    """Of a closed file: the period that it holds, and in which version."""
    version: int | None = None


@dataclass(frozen=True)
class Publication:
    """The files that make up what is published, and the run that made the open one."""

    run_id: str
    fingerprint: str
    published_at: str
    files: tuple[PublishedFile, ...]


def read_publication(workspace: Workspace) -> Publication:
    """The current publication. Raises NothingPublishedError before the first run."""
    path = workspace.warehouse / CURRENT_NAME
    try:
        return parse_publication(path.read_text("utf-8"))
    except FileNotFoundError:
        raise NothingPublishedError(workspace.root) from None
    except (ValueError, TypeError, KeyError):
        raise ControlError(
            f"{path}: expected the names of the published files, found something else. "
            "'apportion build' writes it anew from the books."
        ) from None


def parse_publication(text: str) -> Publication:
    """A publication from its JSON. Raises ValueError, TypeError or KeyError if it is none."""
    value = json.loads(text)
    files = tuple(PublishedFile(**file) for file in value.pop("files"))
    return Publication(**value, files=files)


def write_publication(workspace: Workspace, publication: Publication) -> None:
    """Make `publication` the current one, atomically. The one step that readers notice."""
    target = workspace.warehouse / CURRENT_NAME
    replace_text(target, json.dumps(asdict(publication), indent=2) + "\n")


def replace_text(target: Path, text: str) -> None:
    """Replace a file's content atomically and durably: temporary file, fsync, rename, fsync."""
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, target)
    sync_directory(target.parent)


def sync_directory(directory: Path) -> None:
    """Make a rename in `directory` durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes, as hexadecimal text."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
