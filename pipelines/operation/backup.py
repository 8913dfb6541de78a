"""Back a workspace up while it is in use: one consistent state, proven by a manifest.

A snapshot of the books comes first: SQLite's online backup, or the rows of PostgreSQL as of one
moment. What it names is copied and hashed on the way. Into a directory a backup is a plain tree
under its time; a file that did not change since the backup before becomes a hard link to that of
it, so that a repeated backup costs what is new. Into a file `*.tar` it is an archive.

Everything is synced before the backup gets its name, so that what has a name is whole. A workspace
that is damaged is backed up as it is, and what differs from the books is said: the rest is worth
keeping. The key of the pseudonyms is left out unless asked for.

Known limit: a file is known by its size and time of change; `is_full` copies and hashes everything.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import stat
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.billing.files import write_atomically
from pipelines.books.audit import FIRST_HASH, append_audit
from pipelines.books.books import Books, copy_sqlite
from pipelines.books.portable import dump_books, load_books
from pipelines.errors import ControlError, UsageError
from pipelines.operation.backup_contents import Contents, add_publication, list_contents
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
from pipelines.warehouse.publication import hash_file, sync_directory
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    from sqlalchemy import Connection

Progress = Callable[[str, int, int], None]
TREE_NAME = "workspace"
ARCHIVE_ENDING = ".tar"
PARTIAL_PREFIX = ".partial-"
PIECE_BYTES = 1 << 20
ATTEMPTS = 3
PUBLISHED_PREFIX = "warehouse/run-"


@dataclass(frozen=True)
class Backup:
    """A backup that was made."""

    path: Path
    manifest: BackupManifest
    manifest_hash: str
    copied_files: int
    copied_bytes: int
    linked_files: int
    """Files that the backup before has too."""


class _GoneError(Exception):
    """A publication that the snapshot names was followed by others and removed meanwhile."""


def make_backup(
    workspace: Workspace,
    books: Books,
    target: Path,
    *,
    has_key: bool = False,
    has_inbox: bool = False,
    is_full: bool = False,
    on_progress: Progress = lambda *_: None,
) -> Backup:
    """Back up into the directory `target`, which may hold earlier backups, or into a new archive
    `target` (*.tar). Raises UsageError where it lies in the workspace or the archive exists."""
    is_archive = target.suffix == ARCHIVE_ENDING
    directory = (target.parent if is_archive else target).resolve()
    _refuse_place(workspace, target, directory, is_archive=is_archive)
    directory.mkdir(parents=True, exist_ok=True)
    with _lock(directory):
        before = None if is_archive or is_full else _find_latest(directory, workspace)
        staging = directory / f"{PARTIAL_PREFIX}{os.getpid()}"
        try:
            made = _write_consistently(
                _Job(workspace, books, staging, before, has_key, has_inbox, on_progress)
            )
            path = target if is_archive else directory / made.manifest.backup_id
            if is_archive:
                _write_archive(staging, path, made.manifest, on_progress)
            else:
                os.replace(staging, path)
                sync_directory(directory)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    done = Backup(path, *made.as_parts())
    _record(books, done)
    return done


@dataclass(frozen=True)
class _Job:
    """What is asked for, and where it is put together."""

    workspace: Workspace
    books: Books
    staging: Path
    before: tuple[Path, dict[str, BackedUpFile]] | None
    has_key: bool
    has_inbox: bool
    on_progress: Progress

    @property
    def tree(self) -> Path:
        return self.staging / TREE_NAME


@dataclass(frozen=True)
class _Made:
    manifest: BackupManifest
    manifest_hash: str
    copied: list[BackedUpFile]

    def as_parts(self) -> tuple[BackupManifest, str, int, int, int]:
        size = sum(file.bytes for file in self.copied)
        linked = len(self.manifest.files) - len(self.copied)
        return self.manifest, self.manifest_hash, len(self.copied), size, linked


def _write_consistently(job: _Job) -> _Made:
    for _ in range(ATTEMPTS):
        shutil.rmtree(job.staging, ignore_errors=True)
        job.tree.mkdir(parents=True)
        try:
            return _write(job)
        except _GoneError:
            continue
    raise ControlError(
        f"{job.workspace.root}: publications follow each other faster than one can be copied. "
        "Nothing was backed up; let the builds finish and repeat it."
    )


def _write(job: _Job) -> _Made:
    job.on_progress("Looking at the books", 0, 0)
    backup_id = datetime.now(UTC).strftime("%Y-%m-%dT%H%M%S.%fZ").replace(".", "-")
    form, snapshot = _take_snapshot(job)
    try:
        contents = list_contents(
            job.workspace, snapshot, has_key=job.has_key, has_inbox=job.has_inbox
        )
        with snapshot.read() as connection:
            sequence, audit_hash, closes, head = _find_heads(connection)
        revision = str(snapshot.find_revision())
    finally:
        snapshot.close()
    _tidy_snapshot(job, form)
    files, copied, damaged = _copy_all(job, contents, form)
    manifest = BackupManifest(
        backup_id=backup_id,
        workspace_name=job.workspace.config.name,
        books_form=form,
        books_revision=revision,
        audit_sequence=sequence,
        audit_hash=audit_hash,
        closes=closes,
        head_hash=head,
        has_key=job.workspace.pseudonym_key.name in contents.paths,
        left_out=contents.left_out,
        damaged=damaged,
        files=sorted(files, key=lambda file: file.name),
    )
    content = manifest.to_bytes()
    for directory in sorted({path.parent for path in job.tree.rglob("*")}):
        sync_directory(directory)
    write_atomically(job.staging / HASH_NAME, write_hash_line(content))
    write_atomically(job.staging / MANIFEST_NAME, content)
    return _Made(manifest, hashlib.sha256(content).hexdigest(), copied)


def _take_snapshot(job: _Job) -> tuple[str, Books]:
    """The books of one moment, in the backup, and a way to ask them."""
    if job.books.engine.dialect.name == "sqlite":
        copy_sqlite(Path(str(job.books.engine.url.database)), job.tree / BOOKS_SQLITE)
        return BOOKS_SQLITE, Books.connect(f"sqlite:///{job.tree / BOOKS_SQLITE}")
    dump_books(job.books, job.tree / BOOKS_LINES)
    snapshot = Books.connect(f"sqlite:///{job.staging / BOOKS_SQLITE}")
    load_books(job.tree / BOOKS_LINES, snapshot)
    return BOOKS_LINES, snapshot


def _tidy_snapshot(job: _Job, form: str) -> None:
    """Asking left a log beside the copy; and a copy that was made for asking is not kept."""
    if form == BOOKS_SQLITE:
        asked = job.tree / BOOKS_SQLITE
        copy_sqlite(asked, asked)
    for directory in (job.tree, job.staging):
        for path in directory.glob(f"{BOOKS_SQLITE}*"):
            if path != job.tree / BOOKS_SQLITE:
                path.unlink()


def _find_heads(connection: Connection) -> tuple[int, str, int, str]:
    from sqlalchemy import func, select

    from pipelines.books.tables import audit_log, periods
    from pipelines.close.period_states import find_last_close

    last = connection.execute(
        select(audit_log.c.sequence, audit_log.c.record_hash)
        .order_by(audit_log.c.sequence.desc())
        .limit(1)
    ).first()
    closes = connection.execute(
        select(func.count()).select_from(periods).where(periods.c.state == "closed")
    ).scalar_one()
    _, head = find_last_close(connection)
    return (last.sequence, last.record_hash, closes, head) if last else (0, FIRST_HASH, 0, head)


def _copy_all(
    job: _Job, contents: Contents, form: str
) -> tuple[list[BackedUpFile], list[BackedUpFile], list[str]]:
    """All files, those that were copied, and what is not as the books know it."""
    books_file = _describe(job.tree / form, form, hash_file(job.tree / form))
    files, copied = [books_file], [books_file]
    damaged = [f"{name} is missing" for name in contents.missing]
    for number, (name, path) in enumerate(contents.paths.items()):
        job.on_progress("Backing up", number, len(contents.paths))
        expected = contents.expected.get(name)
        try:
            file = _link(job, name, path, expected)
            if file is None:
                file = _copy(path, job.tree / name, name)
                copied.append(file)
        except FileNotFoundError:
            damaged += _judge_missing(job, name, expected)
            continue
        files.append(file)
        if expected is not None and file.sha256 != expected:
            damaged.append(f"{name} has other bytes than the books know")
    return files, copied, damaged


def _judge_missing(job: _Job, name: str, expected: str | None) -> list[str]:
    """What a file that is not there means: a publication gives way to later ones, a file of a
    person may be removed, and anything else that the books name is lost."""
    if name.startswith(PUBLISHED_PREFIX):
        newest = Contents()
        add_publication(newest, job.workspace, job.books)
        if name not in newest.paths:
            raise _GoneError
        return [f"{name} is missing"]
    return [] if expected is None else [f"{name} is missing"]


def _link(job: _Job, name: str, path: Path, expected: str | None) -> BackedUpFile | None:
    """A hard link to the copy that the backup before has of the same file, if it has one."""
    if job.before is None:
        return None
    tree, known = job.before
    file, status = known.get(name), path.stat()
    if file is None or (status.st_size, status.st_mtime_ns) != (file.bytes, file.modified_ns):
        return None
    if expected is not None and file.sha256 != expected:
        return None
    target = job.tree / name
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        if (tree / name).stat().st_size != file.bytes:
            return None
        os.link(tree / name, target)
    except OSError:
        # The copy is gone, or the file system has no hard links: it is copied.
        return None
    return file


def _copy(source: Path, target: Path, name: str) -> BackedUpFile:
    """Copy and hash in one reading, synced to disk, with rights and times of the original."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with source.open("rb") as original:
        status = os.fstat(original.fileno())
        mode = stat.S_IMODE(status.st_mode)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as copy:
            while piece := original.read(PIECE_BYTES):
                digest.update(piece)
                copy.write(piece)
            copy.flush()
            os.fsync(copy.fileno())
    os.utime(target, ns=(status.st_mtime_ns, status.st_mtime_ns))
    return _describe(target, name, digest.hexdigest())


def _describe(path: Path, name: str, sha256: str) -> BackedUpFile:
    status = path.stat()
    mode = stat.S_IMODE(status.st_mode)
    return BackedUpFile(name, status.st_size, sha256, status.st_mtime_ns, mode)


def _write_archive(
    staging: Path, target: Path, manifest: BackupManifest, on_progress: Progress
) -> None:
    """One file with everything; the manifest comes last, so that an archive cut off has none."""
    temporary = staging / "archive"
    names = [f"{TREE_NAME}/{file.name}" for file in manifest.files] + [HASH_NAME, MANIFEST_NAME]
    with temporary.open("wb") as file:
        with tarfile.open(fileobj=file, mode="w") as archive:
            for number, name in enumerate(names):
                on_progress("Writing the archive", number, len(names))
                archive.add(staging / name, name, recursive=False)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, target)
    sync_directory(target.resolve().parent)


def find_backups(directory: Path) -> list[Path]:
    """The whole backups in a directory, the newest last."""
    return sorted(path.parent for path in directory.glob(f"[0-9]*/{MANIFEST_NAME}"))


def _find_latest(
    directory: Path, workspace: Workspace
) -> tuple[Path, dict[str, BackedUpFile]] | None:
    """The tree of the newest backup of this workspace, and its files by name."""
    for path in reversed(find_backups(directory)):
        try:
            manifest = parse_backup_manifest((path / MANIFEST_NAME).read_bytes())
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if manifest.workspace_name == workspace.config.name:
            return path / TREE_NAME, {file.name: file for file in manifest.files}
    return None


def _refuse_place(workspace: Workspace, target: Path, directory: Path, *, is_archive: bool) -> None:
    if directory.is_relative_to(workspace.root):
        raise UsageError(
            f"{target} lies in the workspace, which is lost with it. Name a place on another disk."
        )
    if is_archive and target.exists():
        raise UsageError(f"{target} exists; an archive is never overwritten. Name a new file.")


@contextmanager
def _lock(directory: Path) -> Iterator[None]:
    """One backup at a time into a directory; what a killed one left behind is swept away."""
    with (directory / ".apportion-backup.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ControlError(f"another backup into {directory} is running") from None
        for path in directory.glob(f"{PARTIAL_PREFIX}*"):
            shutil.rmtree(path, ignore_errors=True)
        yield


def _record(books: Books, backup: Backup) -> None:
    details = {
        "manifest_hash": backup.manifest_hash,
        "place": str(backup.path),
        "files": len(backup.manifest.files),
        "bytes": sum(file.bytes for file in backup.manifest.files),
        "audit_sequence": backup.manifest.audit_sequence,
        "head_hash": backup.manifest.head_hash,
        "damaged": len(backup.manifest.damaged),
    }
    with books.begin() as connection:
        append_audit(connection, "backup", backup.manifest.backup_id, details)
