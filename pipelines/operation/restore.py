"""Restore a backup into a new workspace, and prove what came out of it.

Every file is hashed while it is put back, into a directory beside its place; only where all of them
are those of the manifest does the directory get its name. Then the closed periods are verified, and
what `apportion doctor` looks at is looked at. A workspace that exists is never written to.
"""

from __future__ import annotations

import errno
import hashlib
import os
import tarfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from pipelines.billing.files import write_atomically
from pipelines.books.audit import append_audit
from pipelines.books.books import Books, find_url, use_books_at
from pipelines.books.portable import dump_books, load_books
from pipelines.close.verify import Verification, verify
from pipelines.errors import ControlError, UsageError
from pipelines.operation.backup import PIECE_BYTES, TREE_NAME, find_backups
from pipelines.operation.backup_manifest import (
    BOOKS_LINES,
    BOOKS_SQLITE,
    HASH_NAME,
    MANIFEST_NAME,
    BackedUpFile,
    BackupManifest,
    parse_backup_manifest,
    write_hash_line,
)
from pipelines.staging import staged_directory, sweep_killed
from pipelines.warehouse.publication import sync_directory
from pipelines.warehouse.publish import repair_publication
from pipelines.workspace.doctor import UNPROVEN_NAME, Finding, examine
from pipelines.workspace.workspace import Workspace

Progress = Callable[[str, int, int], None]
MOST_SHOWN = 20
FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)


class BackupDamagedError(ControlError):
    """A backup is not what its manifest says; nothing of it was restored."""

    def __init__(self, backup: Path, problems: list[str]) -> None:
        self.problems = problems
        shown = "\n".join(f"  - {problem}" for problem in problems[:MOST_SHOWN])
        left = len(problems) - MOST_SHOWN
        more = f"\n  and {left} more" if left > 0 else ""
        super().__init__(
            f"{backup} is damaged, so nothing was restored:\n{shown}{more}\n"
            "Use another backup; one that is a directory still has its other files to look at."
        )


@dataclass(frozen=True)
class Restored:
    """A workspace that was restored, and what was proven about it."""

    root: Path
    manifest: BackupManifest
    manifest_hash: str
    verification: Verification
    findings: list[Finding]

    @property
    def problems(self) -> list[str]:
        """What is wrong with it, in sentences; none means that all of it holds."""
        bad = [f"{item.subject}: {item.message}" for item in self.findings if item.state == "bad"]
        return [*self.manifest.damaged, *self.verification.problems, *bad]


@dataclass
class _Found:
    """What came out of a backup: files with size and hash, and what could not be read."""

    files: dict[str, tuple[int, str]] = field(default_factory=dict)
    manifest: bytes | None = None
    hash_line: bytes | None = None
    problems: list[str] = field(default_factory=list)


def restore_backup(
    backup: Path,
    target: Path,
    *,
    is_into_address: bool = False,
    is_deep: bool = False,
    on_progress: Progress = lambda *_: None,
) -> Restored:
    """Restore into `target`, which must not exist or be empty. The books become its
    `books.sqlite`, or, with `is_into_address`, go to the empty database that APPORTION_BOOKS_URL
    names. Raises BackupDamagedError where the backup is not what it was. Where a restore of it
    into the same place was killed before its proof, the proof is made up for."""
    target = target.resolve()
    if (target / UNPROVEN_NAME).is_file():
        return _finish_killed(backup, target, is_deep=is_deep, on_progress=on_progress)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(
            f"{target}: expected a directory that does not exist or is empty; a restore never "
            "writes over anything. Name a new directory."
        )
    prefix = f".{target.name}.restoring-"
    sweep_killed(target.parent, prefix)
    with staged_directory(target.parent, prefix) as staging:
        manifest, content = unpack_backup(backup, staging, on_progress)
        address = _restore_books(staging, target, manifest, is_into_address=is_into_address)
        mark = f"{_hash_manifest(content)} {'address' if is_into_address else 'own'}\n"
        write_atomically(staging / UNPROVEN_NAME, mark.encode("ascii"))
        for path in sorted(path for path in staging.rglob("*") if path.is_dir()):
            sync_directory(path)
        os.replace(staging, target)
        sync_directory(target.parent)
    with use_books_at(address):
        return _prove(target, manifest, content, is_deep=is_deep, on_progress=on_progress)


def _finish_killed(backup: Path, target: Path, *, is_deep: bool, on_progress: Progress) -> Restored:
    """Prove a workspace that was put back whole by a restore that was killed before its proof."""
    found = _Found()
    _read_head(find_backup(backup), found)
    manifest = _read_manifest(found)
    if manifest is None or found.manifest is None:
        raise BackupDamagedError(find_backup(backup), found.problems)
    known, _, place = (target / UNPROVEN_NAME).read_text("ascii").strip().partition(" ")
    if known != _hash_manifest(found.manifest):
        raise UsageError(
            f"{target} holds a restore of another backup that was cut off before it was proven. "
            "Restore that backup into it again to prove it, or name a new directory."
        )
    address = f"sqlite:///{target / BOOKS_SQLITE}"
    if place == "address":
        address = find_url(Workspace(target)).render_as_string(hide_password=False)
    with use_books_at(address):
        return _prove(target, manifest, found.manifest, is_deep=is_deep, on_progress=on_progress)


def _read_head(path: Path, found: _Found) -> None:
    """The manifest of a backup and its hash, without its files."""
    if path.is_dir():
        for name in (MANIFEST_NAME, HASH_NAME):
            try:
                _keep_head(found, name, (path / name).read_bytes())
            except OSError as error:
                found.problems.append(f"{name} cannot be read: {error.strerror}")
        return
    try:
        with tarfile.open(path, "r:") as archive:
            for member in archive:
                file = archive.extractfile(member) if member.isreg() else None
                if file is not None and member.name in (MANIFEST_NAME, HASH_NAME):
                    _keep_head(found, member.name, file.read())
    except (tarfile.TarError, OSError, EOFError) as error:
        found.problems.append(f"the archive cannot be read: {error}")


def _hash_manifest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def unpack_backup(
    backup: Path, target: Path, on_progress: Progress = lambda *_: None
) -> tuple[BackupManifest, bytes]:
    """Put all files of a backup into `target`; its manifest, and the bytes of that. Raises
    BackupDamagedError with everything that is not as the manifest says."""
    found = _Found()
    path = find_backup(backup)
    if path.is_dir():
        _unpack_directory(path, target, found, on_progress)
    else:
        _unpack_archive(path, target, found, on_progress)
    manifest = _read_manifest(found)
    problems = [*found.problems, *([] if manifest is None else _compare(manifest, found))]
    if manifest is None or found.manifest is None or problems:
        raise BackupDamagedError(path, problems)
    for file in manifest.files:
        restored = target / file.name
        restored.chmod(file.mode)
        os.utime(restored, ns=(file.modified_ns, file.modified_ns))
    return manifest, found.manifest


def find_backup(path: Path) -> Path:
    """The backup that is meant: an archive, a backup's directory, or the newest one in it."""
    if path.is_file() or (path / MANIFEST_NAME).exists() or (path / TREE_NAME).exists():
        return path
    backups = find_backups(path)
    if not backups:
        raise UsageError(f"{path}: expected a backup or a directory of backups, found none")
    return backups[-1]


def _unpack_directory(path: Path, target: Path, found: _Found, on_progress: Progress) -> None:
    _read_head(path, found)
    tree = path / TREE_NAME
    entries = sorted(tree.rglob("*"))
    for number, entry in enumerate(entries):
        on_progress("Restoring", number, len(entries))
        name = entry.relative_to(tree).as_posix()
        if entry.is_symlink() or not (entry.is_file() or entry.is_dir()):
            found.problems.append(f"{name} is no file")
        elif entry.is_file():
            try:
                with entry.open("rb") as file:
                    found.files[name] = _write(file, target / name)
            except OSError as error:
                _raise_if_full(error)
                found.problems.append(f"{name} cannot be read: {error.strerror}")


def _unpack_archive(path: Path, target: Path, found: _Found, on_progress: Progress) -> None:
    name = "its beginning"
    try:
        with tarfile.open(path, "r:") as archive:
            for number, member in enumerate(archive):
                on_progress("Restoring", number, 0)
                name = member.name
                file = archive.extractfile(member) if member.isreg() else None
                if file is None:
                    found.problems.append(f"{name} is no file")
                elif name in (MANIFEST_NAME, HASH_NAME):
                    _keep_head(found, name, file.read())
                elif _is_inside(name):
                    inner = name.removeprefix(f"{TREE_NAME}/")
                    found.files[inner] = _write(file, target / inner)
                else:
                    found.problems.append(f"{name} lies outside of the workspace")
    except (tarfile.TarError, OSError, EOFError) as error:
        _raise_if_full(error)
        found.problems.append(f"the archive cannot be read on after {name}: {error}")


def _raise_if_full(error: Exception) -> None:
    """A full disk is no fault of the backup, which is not to be called damaged for it."""
    if isinstance(error, OSError) and error.errno in FULL_DISK:
        raise error


def _keep_head(found: _Found, name: str, content: bytes) -> None:
    if name == MANIFEST_NAME:
        found.manifest = content
    else:
        found.hash_line = content


def _is_inside(name: str) -> bool:
    """Whether a name of an archive, which anybody may have written, is one below the tree."""
    parts = PurePosixPath(name).parts
    return len(parts) > 1 and parts[0] == TREE_NAME and ".." not in parts


def _write(source: IO[bytes], target: Path) -> tuple[int, str]:
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with target.open("xb") as file:
        while piece := source.read(PIECE_BYTES):
            digest.update(piece)
            size += len(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return size, digest.hexdigest()


def _read_manifest(found: _Found) -> BackupManifest | None:
    if found.manifest is None:
        found.problems.append(f"there is no {MANIFEST_NAME}: the backup was not finished, or cut")
        return None
    if found.hash_line != write_hash_line(found.manifest):
        found.problems.append(f"{MANIFEST_NAME} is not the one that {HASH_NAME} names")
    try:
        return parse_backup_manifest(found.manifest)
    except (ValueError, KeyError, TypeError):
        found.problems.append(f"{MANIFEST_NAME} cannot be understood")
        return None


def _compare(manifest: BackupManifest, found: _Found) -> Iterator[str]:
    known = {file.name for file in manifest.files}
    for file in manifest.files:
        text = _compare_file(file, found.files.get(file.name))
        if text is not None:
            yield text
    for name in sorted(set(found.files) - known):
        yield f"{name} is not in the manifest"


def _compare_file(file: BackedUpFile, found: tuple[int, str] | None) -> str | None:
    if found is None:
        return f"{file.name} is missing"
    size, sha256 = found
    if size != file.bytes:
        return f"{file.name} has {size:,} bytes, expected {file.bytes:,}"
    return None if sha256 == file.sha256 else f"{file.name} has other bytes than were backed up"


def _restore_books(
    staging: Path, target: Path, manifest: BackupManifest, *, is_into_address: bool
) -> str:
    """Put the books where they are to be, and return the address that they have afterwards."""
    own = f"sqlite:///{target / BOOKS_SQLITE}"
    lines = staging / BOOKS_LINES
    if not is_into_address:
        if manifest.books_form == BOOKS_LINES:
            _load(lines, f"sqlite:///{staging / BOOKS_SQLITE}")
            lines.unlink()
        return own
    address = find_url(Workspace(target)).render_as_string(hide_password=False)
    if address == own:
        raise UsageError("expected the address of an empty database in APPORTION_BOOKS_URL")
    if manifest.books_form == BOOKS_SQLITE:
        copied = Books.connect(f"sqlite:///{staging / BOOKS_SQLITE}")
        dump_books(copied, lines)
        copied.close()
        for path in staging.glob(f"{BOOKS_SQLITE}*"):
            path.unlink()
    _load(lines, address)
    lines.unlink()
    return address


def _load(lines: Path, address: str) -> None:
    books = Books.connect(address)
    try:
        load_books(lines, books)
    finally:
        books.close()


def _prove(
    root: Path, manifest: BackupManifest, content: bytes, *, is_deep: bool, on_progress: Progress
) -> Restored:
    """Write the pointer anew from the books, note the restore, and look at everything."""
    workspace = Workspace.open(root)
    books = Books.open(workspace)
    try:
        if workspace.warehouse.exists():
            # What is missing is named by the verification.
            with suppress(ControlError):
                repair_publication(workspace, books)
        verification = verify(workspace, books, deep=is_deep, on_close=on_progress)
        manifest_hash = _hash_manifest(content)
        with books.begin() as connection:
            append_audit(
                connection, "restore", manifest.backup_id, {"manifest_hash": manifest_hash}
            )
    finally:
        books.close()
    on_progress("Looking at the workspace", 0, 0)
    (root / UNPROVEN_NAME).unlink(missing_ok=True)
    return Restored(root, manifest, manifest_hash, verification, examine(root))
