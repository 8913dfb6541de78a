"""The manifest of a backup: every file of it with its size and SHA-256, and where the books stood.

It is written last: a directory or an archive without one is no backup. The hash of the manifest
lies beside it and in the audit log of the workspace, so that a backup that was changed together
with its manifest still shows.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any

FORMAT = 1
MANIFEST_NAME = "manifest.json"
HASH_NAME = "manifest.sha256"
BOOKS_SQLITE = "books.sqlite"
BOOKS_LINES = "books.jsonl"


@dataclass(frozen=True)
class BackedUpFile:
    """One file; `name` is relative to the workspace, with slashes."""

    name: str
    bytes: int
    sha256: str
    modified_ns: int
    """Time of the last change of the original: by it and its size the next backup knows it."""
    mode: int


@dataclass(frozen=True)
class BackupManifest:
    """What a backup holds."""

    backup_id: str
    """UTC time at which the books were looked at, such as 2026-04-03T021500Z."""
    workspace_name: str
    books_form: str
    """Name of the file with the books: a database of SQLite, or lines that fit any database."""
    books_revision: str
    audit_sequence: int
    audit_hash: str
    """Number and hash of the newest record of the audit log."""
    closes: int
    head_hash: str
    """Closed periods, and the hash of the newest manifest among them: the head of the chain."""
    has_key: bool
    left_out: list[str]
    """Names of links, which are not followed."""
    damaged: list[str]
    """What was found to differ from the books already when it was backed up."""
    files: list[BackedUpFile]
    format: int = field(default=FORMAT)

    def to_bytes(self) -> bytes:
        """The manifest as it is written and hashed."""
        return (json.dumps(asdict(self), indent=1, sort_keys=True) + "\n").encode()


def parse_backup_manifest(content: bytes) -> BackupManifest:
    """Read a manifest. Raises ValueError, KeyError or TypeError if it is none."""
    value: dict[str, Any] = json.loads(content)
    if value["format"] != FORMAT:
        raise ValueError(f"format {value['format']}")
    value["files"] = [BackedUpFile(**file) for file in value["files"]]
    return BackupManifest(**value)


def write_hash_line(content: bytes) -> bytes:
    """The line that `sha256sum --check` reads."""
    return f"{hashlib.sha256(content).hexdigest()}  {MANIFEST_NAME}\n".encode()
