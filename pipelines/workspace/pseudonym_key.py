"""The workspace's key for pseudonyms of persons: made once, in a file that only its owner reads.

Without the key a pseudonym cannot be told from the name by trying names, and two workspaces do not
share pseudonyms. The key is needed for as long as deliveries are to give a person the same
pseudonym: it belongs into a backup, and nowhere near the figures.

Guarantees that processes that start at the same moment agree on one key, and that a crash leaves
either a whole key or none. Known limit: a key that was lost cannot be had back; the next delivery
then makes another one, and its persons are strangers to those before.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from pathlib import Path

from pipelines.errors import EXIT_USAGE, ApportionError
from pipelines.warehouse.publication import sync_directory
from pipelines.workspace.workspace import Workspace

KEY_BYTES = 32
KEY_TEXT = re.compile(rf"[0-9a-f]{{{2 * KEY_BYTES}}}\n")
OWNER_ONLY = 0o600


class PseudonymKeyError(ApportionError):
    """The key's file is not what it must be; nothing is to be landed under another key."""

    exit_code = EXIT_USAGE

    def __init__(self, path: Path, found: str, remedy: str) -> None:
        super().__init__(f"{path}: expected the workspace's pseudonym key, found {found}. {remedy}")


def find_or_make_key(workspace: Workspace) -> str:
    """The key as hexadecimal text; made if there is none. Raises PseudonymKeyError where the file
    is damaged or others can read it, OSError where it cannot be written."""
    path = workspace.pseudonym_key
    if not path.exists():
        _make_key(path)
    return read_key(path)


def read_key(path: Path) -> str:
    """The key in `path`. Raises PseudonymKeyError, which never shows what the file holds."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & ~OWNER_ONLY:
        remedy = f"Others can read it: run 'chmod 600 {path.name}' in the workspace."
        raise PseudonymKeyError(path, f"a file of mode {mode:o}", remedy)
    text = path.read_text("ascii", errors="replace")
    if not KEY_TEXT.fullmatch(text):
        remedy = "Put back the one of the backup; with another key, persons are not recognised."
        raise PseudonymKeyError(path, f"{len(text)} characters of something else", remedy)
    return text.strip()


def _make_key(path: Path) -> None:
    """Write the whole key beside its place, then give it its name, if nobody was faster."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{secrets.token_hex(KEY_BYTES)}\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            # A link fails where the name is taken; a rename would take it away from the other.
            os.link(temporary, path)
        except FileExistsError:
            return
        sync_directory(path.parent)
    finally:
        temporary.unlink(missing_ok=True)
