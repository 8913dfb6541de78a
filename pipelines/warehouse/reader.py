"""Read what is published, and nothing else.

A reader's connection is in memory, attaches the published files read-only, shows every mart under
its bare name, and is then locked: no file can be read or written through it, whatever the SQL.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipelines.warehouse.closed_periods import CLOSED_ROLE
from pipelines.warehouse.older_closes import stand_in
from pipelines.warehouse.publication import Publication, read_publication
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    import duckdb

MARTS_SCHEMA = "marts"
OPEN_DATABASE = "run_0"
"""The open file is named first."""


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
        _create_views(connection, publication)
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")
    except BaseException:
        connection.close()
        raise
    return connection


def _create_views(connection: duckdb.DuckDBPyConnection, publication: Publication) -> None:
    """One view per mart over all files that hold it, and one per table of the stops.

    The rows of a closed period come from its frozen file, whatever a later run computed for it;
    what has no period (the rules, the catalogue) is that of the open file.
    """
    closed = {
        f"run_{number}": str(file.period_id)
        for number, file in enumerate(publication.files)
        if file.role == CLOSED_ROLE
    }
    rows = connection.execute(
        """
        select schema_name, table_name, list(distinct database_name order by database_name),
            bool_or(column_name = 'scenario_id') and bool_or(column_name = 'period_id')
        from duckdb_columns() where not internal and database_name like 'run\\_%' escape '\\'
        group by all
        """
    ).fetchall()
    for schema, table, databases, is_per_period in rows:
        body = _select(f'"{schema}"."{table}"', databases, closed if is_per_period else None)
        if schema == MARTS_SCHEMA and is_per_period:
            # Periods that were closed before there was this mart.
            without = (stand_in(table, name) for name in closed if name not in databases)
            body = " union all by name ".join([body, *(query for query in without if query)])
        if table == "dim_periods" and closed:
            names = ", ".join(f"'{period}'" for period in closed.values())
            body = (
                f"select * replace (case when period_id in ({names}) then 'closed' "
                f"else period_state end as period_state) from ({body})"
            )
        if schema == MARTS_SCHEMA:
            connection.execute(f'create view main."{table}" as {body}')
        else:
            connection.execute(f'create schema if not exists "{schema}"')
            connection.execute(f'create view "{schema}"."{table}" as {body}')


def _select(table: str, databases: list[str], closed: dict[str, str] | None) -> str:
    """The rows of a table; `closed`: database of a closed period -> the period, None for a table
    that has no periods."""
    if closed is None:
        # What the open file has no more is shown as a closed period had it.
        database = OPEN_DATABASE if OPEN_DATABASE in databases else databases[0]
        return f"select * from {database}.{table}"
    periods = ", ".join(f"'{period}'" for period in closed.values())
    is_closed = f"scenario_id = 'actual' and period_id in ({periods})"
    return " union all by name ".join(
        f"select * from {database}.{table}"
        + ("" if database in closed or not closed else f" where ({is_closed}) is not true")
        for database in databases
    )
