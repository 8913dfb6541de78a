"""Name and write the files of a statement.

A file appears under its name only when it is complete: it is written beside its place, synced
and renamed, so a reader or a crash never meets half a bill.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from pipelines.warehouse.publication import sync_directory

MAX_NAME_LENGTH = 60
DIGEST_LENGTH = 8


def safe_name(name: str) -> str:
    """The name as part of a file name on every system.

    A name that had to be changed gets a digest of the original, so that two names never meet in
    one file: 'R&D/Lab' and 'R&D_Lab' stay apart. Digits, lower-case and upper-case ASCII
    letters, '-', '_' and inner points are kept.
    """
    safe = re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("._")[:MAX_NAME_LENGTH]
    if safe == name:
        return safe
    digest = hashlib.sha256(name.encode("utf-8")).hexdigest()[:DIGEST_LENGTH]
    return f"{safe}_{digest}" if safe else digest


def write_atomically(path: Path, content: bytes) -> None:
    """Replace the file at `path` in one step. Its directory is made if it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)
