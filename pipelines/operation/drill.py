"""The restore drill: restore a backup aside, prove it, and compare it with the workspace as it is.

A backup that nobody restored is a hope. The drill restores into a directory that goes away again,
with books of its own, verifies it in depth, and compares what must be the same for ever: every
close of the backup is one of the workspace with the same manifest and the same certificate, and the
audit log of the backup is the beginning of that of the workspace. What came out is recorded in the
audit log, also where it failed.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.books.audit import append_audit
from pipelines.books.books import Books
from pipelines.operation.backup_manifest import BOOKS_SQLITE, BackupManifest
from pipelines.operation.restore import (
    BackupDamagedError,
    Restored,
    find_backup,
    restore_backup,
)
from pipelines.staging import staged_directory, sweep_killed
from pipelines.warehouse.closed_periods import find_directory, name_close
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    from sqlalchemy import RowMapping

Progress = Callable[[str, int, int], None]
RESTORED_NAME = "restored"


@dataclass(frozen=True)
class Drill:
    """What a drill found out."""

    backup: Path
    manifest: BackupManifest | None
    closes: int
    problems: list[str]

    @property
    def is_passed(self) -> bool:
        return not self.problems


def drill_backup(
    workspace: Workspace, books: Books, backup: Path, on_progress: Progress = lambda *_: None
) -> Drill:
    """Restore a backup of this workspace aside and compare it; it is recorded either way."""
    path = find_backup(backup)
    parent, prefix = Path(tempfile.gettempdir()), f"apportion-drill-{os.getuid()}-"
    sweep_killed(parent, prefix)
    with staged_directory(parent, prefix) as aside:
        aside.chmod(0o700)
        try:
            restored = restore_backup(
                path, aside / RESTORED_NAME, is_deep=True, on_progress=on_progress
            )
        except BackupDamagedError as error:
            drill = Drill(path, None, 0, error.problems)
        else:
            problems = [*restored.problems, *_compare(workspace, books, restored)]
            drill = Drill(path, restored.manifest, restored.verification.closes, problems)
    _record(books, drill)
    return drill


def _compare(workspace: Workspace, books: Books, restored: Restored) -> Iterator[str]:
    other = Books.connect(f"sqlite:///{restored.root / BOOKS_SQLITE}")
    try:
        yield from _compare_audit(books, restored)
        live, kept = _list_closes(books), _list_closes(other)
    finally:
        other.close()
    for number, row in kept.items():
        name = name_close(row["period_id"], row["version"])
        own = live.get(number)
        if own is None or own["manifest_hash"] != row["manifest_hash"]:
            yield f"{name}: close number {number} is another one in the workspace"
            continue
        directories = [
            find_directory(space, row["period_id"], row["version"])
            for space in (workspace, Workspace(restored.root))
        ]
        certificates = [_read_certificate(directory) for directory in directories]
        if certificates[0] != certificates[1]:
            yield f"{name}: the certificate differs from that of the workspace"


def _compare_audit(books: Books, restored: Restored) -> Iterator[str]:
    """The newest record of the backup is in the log of the workspace, and so is the backup."""
    import json

    from sqlalchemy import select

    from pipelines.books.tables import audit_log

    manifest = restored.manifest
    with books.read() as connection:
        found = connection.execute(
            select(audit_log.c.record_hash).where(audit_log.c.sequence == manifest.audit_sequence)
        ).scalar()
        details = connection.execute(
            select(audit_log.c.details).where(
                audit_log.c.action == "backup", audit_log.c.subject == manifest.backup_id
            )
        ).scalar()
    if manifest.audit_sequence and found != manifest.audit_hash:
        yield "the audit log of the backup is not the beginning of that of the workspace"
    if details is None:
        yield "the audit log of the workspace knows nothing of this backup"
    elif json.loads(details)["manifest_hash"] != restored.manifest_hash:
        yield "the audit log of the workspace knows this backup with another manifest"


def _list_closes(books: Books) -> dict[int, RowMapping]:
    from sqlalchemy import select

    from pipelines.books.tables import periods

    query = select(periods).where(periods.c.state == "closed").order_by(periods.c.close_number)
    with books.read() as connection:
        return {row["close_number"]: row for row in connection.execute(query).mappings()}


def _read_certificate(directory: Path) -> list[tuple[object, ...]] | None:
    """The certificate in the frozen file of a close; None where it cannot be read."""
    import duckdb

    path = str(directory / f"{directory.name}.duckdb").replace("'", "''")
    try:
        with duckdb.connect() as connection:
            connection.execute(f"attach '{path}' as frozen (read_only)")
            return connection.execute(
                "select * from frozen.marts.rpt_certificate order by all"
            ).fetchall()
    except duckdb.Error:
        return None


def _record(books: Books, drill: Drill) -> None:
    subject = drill.manifest.backup_id if drill.manifest else drill.backup.name
    details = {
        "result": "passed" if drill.is_passed else "failed",
        "closes": drill.closes,
        "problems": drill.problems,
    }
    with books.begin() as connection:
        append_audit(connection, "backup drill", subject, details)
