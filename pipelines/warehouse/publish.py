"""Seal a finished warehouse file and publish it: books first, then the pointer.

The books' row is the commit point; the pointer is derived from it and repaired at the next build
where a crash came in between.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.books.books import Books, current_time
from pipelines.cost_model.compile import RunStamp
from pipelines.errors import ControlError, NothingPublishedError
from pipelines.warehouse.closed_periods import list_closed_files
from pipelines.warehouse.compiled_models import name_catalogue
from pipelines.warehouse.old_publications import find_old_publications
from pipelines.warehouse.publication import (
    Publication,
    PublishedFile,
    hash_file,
    parse_publication,
    read_publication,
    replace_text,
    sync_directory,
    write_publication,
)
from pipelines.warehouse.run_records import record_publication
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    import duckdb

STAGING_SCHEMAS = ("staging", "lake")


def seal(database: Path, catalogue: str) -> None:
    """Drop what reads the lake, checkpoint and sync: the file now stands on its own.

    Queries that are kept speak of `catalogue`, the name under which the file is published.
    """
    import duckdb

    with duckdb.connect(str(database)) as connection:
        _keep_lineage_queries(connection, catalogue)
        for schema in STAGING_SCHEMAS:
            connection.execute(f"drop schema if exists {schema} cascade")
        connection.execute("checkpoint")
    if database.with_name(database.name + ".wal").exists():
        raise ControlError(f"{database.name} still has a write-ahead log after its checkpoint")
    with database.open("rb") as file:
        os.fsync(file.fileno())


def publish(
    workspace: Workspace,
    books: Books,
    stamp: RunStamp,
    database: Path,
    seconds: dict[str, float],
) -> Publication:
    """Move the file to its name, commit the run to the books, then replace the pointer."""
    target = workspace.warehouse / f"{name_run_catalogue(stamp.run_id)}.duckdb"
    file = PublishedFile(target.name, "open", hash_file(database), database.stat().st_size)
    files = (file, *list_closed_files(workspace, books))
    publication = Publication(stamp.run_id, stamp.fingerprint, current_time(), files)
    os.replace(database, target)
    replace_text(manifest_path(workspace, stamp.run_id), json.dumps(asdict(publication), indent=2))
    sync_directory(workspace.warehouse)
    record_publication(books, stamp, seconds, file)
    write_publication(workspace, publication)
    _prune(workspace, books, publication)
    return publication


def repair_publication(workspace: Workspace, books: Books) -> None:
    """Point CURRENT at the newest run that the books call published and at the periods that they
    call closed, if a crash came in between."""
    from sqlalchemy import select

    from pipelines.books.tables import runs

    with books.read() as connection:
        newest = connection.execute(
            select(runs.c.run_id)
            .where(runs.c.state == "published")
            .order_by(runs.c.finished_at.desc())
            .limit(1)
        ).scalar()
    if newest is None:
        return
    path = manifest_path(workspace, newest)
    try:
        publication = read_publication(workspace)
    except (NothingPublishedError, ControlError):
        publication = None
    if publication is None or publication.run_id != newest:
        if not path.exists():
            return
        publication = parse_publication(path.read_text("utf-8"))
    opened = tuple(file for file in publication.files if file.role == "open")
    repaired = replace(publication, files=(*opened, *list_closed_files(workspace, books)))
    if all((workspace.warehouse / file.name).exists() for file in repaired.files):
        write_publication(workspace, repaired)


def find_published(workspace: Workspace, fingerprint: str) -> Publication | None:
    try:
        publication = read_publication(workspace)
    except NothingPublishedError:
        return None
    exists = all((workspace.warehouse / file.name).exists() for file in publication.files)
    return publication if exists and publication.fingerprint == fingerprint else None


def _keep_lineage_queries(connection: duckdb.DuckDBPyConnection, catalogue: str) -> None:
    """Keep the definition of the view that links bill lines to metered rows, for the trace."""
    rows = connection.execute(
        "select view_name, sql from duckdb_views() "
        "where schema_name = 'staging' and view_name like 'stg_%cloud_bill%' "
        "or schema_name = 'staging' and view_name like 'stg_model__%' order by view_name"
    ).fetchall()
    connection.execute(
        "create or replace table model.lineage_queries (query_name varchar, sql varchar)"
    )
    connection.executemany(
        "insert into model.lineage_queries values (?, ?)",
        [(name, name_catalogue(sql, catalogue)) for name, sql in rows],
    )


def name_run_catalogue(run_id: str) -> str:
    """The catalogue of a published run, after which its file is called."""
    return f"run-{run_id}"


def manifest_path(workspace: Workspace, run_id: str) -> Path:
    return workspace.warehouse / f"run-{run_id}.json"


def _prune(workspace: Workspace, books: Books, publication: Publication) -> None:
    """Keep the newest publications; a reader that holds an older file open keeps its content."""
    for path in find_old_publications(workspace, books, publication):
        path.unlink(missing_ok=True)
        path.with_suffix(".json").unlink(missing_ok=True)
