"""Examine a workspace: configuration, rules, books, lake and what is published."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import ApportionError
from pipelines.workspace.workspace import Workspace

LITTLE_DISK_BYTES = 2 * 1024**3
UNPROVEN_NAME = ".restoring"
"""In a restored workspace until it is proven: the hash of the manifest of its backup."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: 'good', 'note' (worth knowing) or 'bad' (must be corrected)."""

    state: str
    subject: str
    message: str


def examine(directory: Path) -> list[Finding]:
    """Look at everything that can be looked at; one failure does not hide the next."""
    findings = [_examine_machine(directory)]
    try:
        workspace = Workspace.open(directory)
        config = workspace.config
    except ApportionError as error:
        return [*findings, Finding("bad", "workspace", str(error))]
    findings.append(Finding("good", "workspace", f"{config.name}: {len(config.sources)} sources"))
    if (directory / UNPROVEN_NAME).exists():
        message = (
            "it was cut off before its proof: repeat 'apportion restore BACKUP --to' this place"
        )
        findings.append(Finding("bad", "restore", message))
    examinations: tuple[Callable[[Workspace], Iterator[Finding]], ...] = (
        _examine_rules,
        _examine_connections,
        _examine_books,
        _examine_lake,
        _examine_persons,
        _examine_publication,
    )
    for examination in examinations:
        try:
            findings.extend(examination(workspace))
        except (ApportionError, OSError) as error:
            subject = examination.__name__.removeprefix("_examine_")
            findings.append(Finding("bad", subject, str(error)))
    return findings


def _examine_machine(directory: Path) -> Finding:
    existing = next(
        path for path in [directory.resolve(), *directory.resolve().parents] if path.exists()
    )
    free = shutil.disk_usage(existing).free
    version = ".".join(map(str, sys.version_info[:3]))
    text = f"Python {version}, {free / 1024**3:.1f} GiB of disk free"
    return Finding("note" if free < LITTLE_DISK_BYTES else "good", "machine", text)


def _examine_rules(workspace: Workspace) -> Iterator[Finding]:
    from pipelines.cost_model.load import load_cost_model

    model = load_cost_model(workspace)
    count = len(model.pools.rules) + len(model.towers.rules) + len(model.allocation.rules)
    services = len(model.services.services)
    yield Finding("good", "rules", f"{count} rules, {services} services, all references known")


def _examine_connections(workspace: Workspace) -> Iterator[Finding]:
    """Whether their secrets are set; no system is asked."""
    from pipelines.workspace.connections import list_variables

    for source_id, source in workspace.config.sources.items():
        if source.connection is None:
            continue
        variables = list_variables(source.connection)
        missing = [name for name in variables if not os.environ.get(name)]
        if missing:
            text = f"{source_id}: {', '.join(missing)} not set here, so it cannot be pulled"
            yield Finding("note", "connections", text)
        else:
            yield Finding("good", "connections", f"{source_id}: {', '.join(variables)} set")


def _examine_books(workspace: Workspace) -> Iterator[Finding]:
    from pipelines.books.audit import find_chain_breaks
    from pipelines.books.books import HEAD_REVISION, Books

    before = _find_schema(workspace)
    books = Books.open(workspace)
    with books.read() as connection:
        breaks = find_chain_breaks(connection)
    place = books.engine.dialect.name
    books.close()
    schema = f"schema {HEAD_REVISION}, the newest, in {place}"
    yield Finding("good", "books", schema if before is None else f"{schema}; {before}")
    if breaks:
        yield Finding("bad", "books", "the audit log was changed: " + "; ".join(breaks[:3]))
    else:
        yield Finding("good", "books", "the audit log is whole")


def _find_schema(workspace: Workspace) -> str | None:
    """A sentence where opening the books is about to migrate them."""
    from pipelines.books.books import HEAD_REVISION, Books, find_url, name_kept_aside

    address = find_url(workspace)
    if address.get_backend_name() == "sqlite" and not workspace.books_path.exists():
        return None
    books = Books.connect(address)
    found, is_kept = books.find_revision(), books.engine.dialect.name == "sqlite"
    path = str(books.engine.url.database)
    books.close()
    if found in (None, HEAD_REVISION):
        return None
    kept = f", which is kept as {name_kept_aside(Path(path), str(found)).name}" if is_kept else ""
    return f"they were migrated just now from schema {found}{kept}"


def _examine_lake(workspace: Workspace) -> Iterator[Finding]:
    from pipelines.books.books import Books
    from pipelines.landing.typed_records import ORIGINAL_NAME, has_records
    from pipelines.warehouse.lake_views import list_active_loads
    from pipelines.warehouse.publication import hash_file

    books = Books.open(workspace)
    loads = list_active_loads(workspace, books)
    books.close()
    for load in loads:
        original = load.directory / ORIGINAL_NAME
        is_missing = load.is_original_kept and not original.exists()
        if is_missing or not has_records(load.directory):
            yield Finding("bad", "lake", f"{load.source_id}/{load.file_name}: files are missing")
        elif load.is_original_kept and hash_file(original) != load.sha256:
            yield Finding("bad", "lake", f"{load.source_id}/{load.file_name}: bytes were changed")
        for correction in load.decisions.corrections:
            path = correction.find_path(load.directory)
            if not path.exists() or hash_file(path) != correction.correction_id:
                yield Finding(
                    "bad", "lake", f"{load.source_id}/{load.file_name}: {path.name} was changed"
                )
    quarantined = sum(load.records_open for load in loads)
    text = f"{len(loads)} loads, {sum(load.records_accepted for load in loads):,} records"
    yield Finding("good" if loads else "note", "lake", text if loads else "nothing has landed yet")
    if quarantined:
        yield Finding("note", "lake", f"{quarantined} records are in quarantine")


def _examine_persons(workspace: Workspace) -> Iterator[Finding]:
    from pipelines.workspace.pseudonym_key import read_key

    if workspace.pseudonym_key.exists():
        read_key(workspace.pseudonym_key)
        yield Finding("good", "persons", "the key of their pseudonyms is whole and the owner's")


def _examine_publication(workspace: Workspace) -> Iterator[Finding]:
    from pipelines.warehouse.publication import CURRENT_NAME, hash_file, read_publication

    if not (workspace.warehouse / CURRENT_NAME).exists():
        yield Finding("note", "published", "nothing yet: run 'apportion run'")
        return
    publication = read_publication(workspace)
    for file in publication.files:
        path = workspace.warehouse / file.name
        remedy = "restore it from a backup" if file.period_id else "run 'apportion run --force'"
        what = f"{file.period_id}, closed" if file.period_id else f"run {publication.run_id}"
        if not path.exists():
            yield Finding("bad", "published", f"{file.name} is missing: {remedy}")
        elif hash_file(path) != file.sha256:
            yield Finding("bad", "published", f"{file.name} was changed after it was published")
        else:
            yield Finding("good", "published", f"{what}, bytes as published")
