"""Read what is published, and nothing else.

A reader's connection is in memory, attaches the published files read-only, shows every mart under
its bare name, and is then locked: no file can be read or written through it, whatever the SQL.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipelines.warehouse.publication import Publication, read_publication
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    import duckdb

MARTS_SCHEMA = "marts"


def current_run_id(workspace: Workspace) -> str:
    """Id of the run that is published; the key of every cache over its figures."""
    return read_publication(workspace).run_id


@contextmanager
def open_published(workspace: Workspace) -> Iterator[duckdb.DuckDBPyConnection]:
    """A locked, read-only connection to the current publication; closed on leaving."""
    connection = connect_published(workspace, read_publication(workspace))
    try:
        yield connection
    finally:
        connection.close()


def connect_published(workspace: Workspace, publication: Publication) -> duckdb.DuckDBPyConnection:
    """The same for a given publication; the caller closes it. Raises duckdb.IOException if a
    published file is missing."""
    import duckdb

    connection = duckdb.connect(":memory:")
    try:
        for number, file in enumerate(publication.files):
            path = str(workspace.warehouse / file.name).replace("'", "''")
            connection.execute(f"attach '{path}' as run_{number} (read_only)")
        _create_views(connection)
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")
    except BaseException:
        connection.close()
        raise
    return connection


def _create_views(connection: duckdb.DuckDBPyConnection) -> None:
    """One view per mart over all files that hold it, and one per table of the stops."""
    rows = connection.execute(
        "select schema_name, table_name, list(database_name order by database_name) "
        "from duckdb_tables() where not internal group by all"
    ).fetchall()
    for schema, table, databases in rows:
        selects = [f'select * from {database}."{schema}"."{table}"' for database in databases]
        body = " union all by name ".join(selects)
        if schema == MARTS_SCHEMA:
            connection.execute(f'create view main."{table}" as {body}')
        else:
            connection.execute(f'create schema if not exists "{schema}"')
            connection.execute(f'create view "{schema}"."{table}" as {body}')
