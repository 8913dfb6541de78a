"""What of a workspace belongs into a backup, as one state of its books names it.

Deliveries, publications and closes are files that never change once the books name them, so that a
snapshot of the books, taken first, decides what is copied, also while others land, build and close.
What people write (settings, rules) and what is made for them (statements, journals, evidence) is
copied as it lies there.

Not copied: the inbox unless asked for, the key of the pseudonyms unless asked for, what can be made
again (state of dbt, files under construction), hidden files, and links.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.books.books import Books
from pipelines.close.manifest import parse_manifest
from pipelines.landing.load_log import name_directory
from pipelines.landing.typed_records import ORIGINAL_NAME
from pipelines.warehouse.closed_periods import CLOSED_NAME, MANIFEST_NAME, find_directory
from pipelines.warehouse.publish import manifest_path
from pipelines.workspace.workspace import Workspace

OF_THEIR_OWN = ("lake", "warehouse", "inbox")
BOOKS_ENDING = ".sqlite"


@dataclass
class Contents:
    """The files to copy, and what should be true of them."""

    paths: dict[str, Path] = field(default_factory=dict)
    """Name relative to the workspace -> the file. Those that may go away come first."""
    expected: dict[str, str] = field(default_factory=dict)
    """SHA-256 that the books know."""
    missing: list[str] = field(default_factory=list)
    """What the books name and is not there."""
    left_out: list[str] = field(default_factory=list)

    def add(self, workspace: Workspace, path: Path) -> None:
        self.paths[path.relative_to(workspace.root).as_posix()] = path


def list_contents(
    workspace: Workspace, books: Books, *, has_key: bool, has_inbox: bool
) -> Contents:
    """Everything that belongs into a backup; `books`: the snapshot."""
    contents = Contents()
    add_publication(contents, workspace, books)
    _add_closes(contents, workspace, books)
    _add_loads(contents, workspace, books)
    for path in sorted(workspace.root.iterdir()):
        if path.name.startswith(".") or path.name.endswith((BOOKS_ENDING, "-wal", "-shm")):
            continue
        if path.name not in OF_THEIR_OWN or (path.name == "inbox" and has_inbox):
            _add_tree(contents, workspace, path)
    if has_key and workspace.pseudonym_key.exists():
        contents.add(workspace, workspace.pseudonym_key)
    return contents


def add_publication(contents: Contents, workspace: Workspace, books: Books) -> None:
    """The newest published run; CURRENT is derived from it and the books."""
    import json

    from sqlalchemy import select

    from pipelines.books.tables import audit_log, runs

    with books.read() as connection:
        newest = connection.execute(
            select(runs.c.run_id)
            .where(runs.c.state == "published")
            .order_by(runs.c.finished_at.desc())
            .limit(1)
        ).scalar()
        details = connection.execute(
            select(audit_log.c.details)
            .where(audit_log.c.action == "publish", audit_log.c.subject == str(newest))
            .order_by(audit_log.c.sequence.desc())
            .limit(1)
        ).scalar()
    if newest is None or details is None:
        return
    published = json.loads(details)
    for path in (workspace.warehouse / published["file"], manifest_path(workspace, newest)):
        contents.add(workspace, path)
    contents.expected[f"warehouse/{published['file']}"] = published["sha256"]


def _add_closes(contents: Contents, workspace: Workspace, books: Books) -> None:
    from sqlalchemy import select

    from pipelines.books.tables import periods

    query = select(periods).where(periods.c.state == "closed").order_by(periods.c.close_number)
    with books.read() as connection:
        rows = connection.execute(query).all()
    for row in rows:
        directory = find_directory(workspace, row.period_id, row.version)
        manifest = directory / MANIFEST_NAME
        if not manifest.exists():
            contents.missing.append(f"warehouse/{CLOSED_NAME}/{directory.name}")
            continue
        _add_tree(contents, workspace, directory)
        name = manifest.relative_to(workspace.root).as_posix()
        contents.expected[name] = row.manifest_hash
        _expect_frozen(contents, name.removesuffix(MANIFEST_NAME), manifest)


def _expect_frozen(contents: Contents, prefix: str, manifest: Path) -> None:
    """What a close says of its files; a manifest that says nothing is found by its own hash."""
    try:
        files = parse_manifest(manifest.read_bytes()).files
    except (ValueError, KeyError, TypeError):
        return
    for file in files:
        contents.expected[prefix + file.name] = file.sha256
        if prefix + file.name not in contents.paths:
            contents.missing.append(prefix + file.name)


def _add_loads(contents: Contents, workspace: Workspace, books: Books) -> None:
    """Every load, also one that was superseded: the books name it, and earlier readings of it."""
    from sqlalchemy import select

    from pipelines.books.tables import loads

    with books.read() as connection:
        rows = connection.execute(select(loads).order_by(loads.c.load_id)).all()
    for row in rows:
        for reading in range(1, row.reading + 1):
            directory = workspace.lake / row.source_id / name_directory(row.sha256, reading)
            if not directory.exists():
                if reading == row.reading:
                    contents.missing.append(directory.relative_to(workspace.root).as_posix())
                continue
            _add_tree(contents, workspace, directory)
            original = directory / ORIGINAL_NAME
            if original.exists():
                name = original.relative_to(workspace.root).as_posix()
                contents.expected[name] = row.sha256


def _add_tree(contents: Contents, workspace: Workspace, path: Path) -> None:
    for found in _walk(path):
        if found.is_symlink():
            contents.left_out.append(found.relative_to(workspace.root).as_posix())
        elif found.is_file():
            contents.add(workspace, found)


def _walk(path: Path) -> Iterator[Path]:
    """The files at and below a path, but no hidden ones; a link is named, not followed."""
    if path.is_symlink() or not path.is_dir():
        yield path
        return
    for directory, folders, files in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith("."):
                yield Path(directory) / name
        for name in list(folders):
            if (Path(directory) / name).is_symlink():
                yield Path(directory) / name
