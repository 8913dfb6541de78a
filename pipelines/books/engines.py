"""Engines for the books: SQLite in WAL mode, PostgreSQL, and either for reading only.

A writing transaction on SQLite takes the write lock at its start (`begin immediate`); on PostgreSQL
it takes a lock of its own, which is given back with the transaction.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine import URL

BUSY_MILLISECONDS = 30_000
WRITES = "apportion_writes"
WRITERS_LOCK = 4_702_111
"""Number of the PostgreSQL lock that writers queue up for; any, as long as all take the same."""


def make_read_only_engine(url: URL) -> Engine:
    """An engine through which nothing can be written, and which keeps no connection open."""
    from sqlalchemy import create_engine, event
    from sqlalchemy.pool import NullPool

    engine = create_engine(url, poolclass=NullPool)
    if engine.dialect.name != "sqlite":
        # Two queries of one reading see one state of the books, as they do in SQLite.
        return engine.execution_options(postgresql_readonly=True, isolation_level="REPEATABLE READ")
    path = quote(str(Path(str(engine.url.database)).absolute()))

    def connect(*_: Any) -> sqlite3.Connection:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
        connection.execute(f"pragma busy_timeout = {BUSY_MILLISECONDS}")
        connection.execute("pragma query_only = on")
        return connection

    event.listen(engine, "do_connect", connect)
    # Without a transaction two queries of one reading could see two states of the books.
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("begin"))
    return engine


def make_engine(url: str | URL) -> Engine:
    """An engine whose writers, marked by `WRITES`, queue up."""
    from sqlalchemy import create_engine, event

    engine = create_engine(url)
    if engine.dialect.name == "sqlite":

        def prepare(connection: Any, _record: Any) -> None:
            connection.isolation_level = None
            # First, because switching to WAL waits for a lock too.
            connection.execute(f"pragma busy_timeout = {BUSY_MILLISECONDS}")
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = full")
            connection.execute("pragma foreign_keys = on")
            # Without it, 'insert or replace' deletes a row past the trigger that forbids it.
            connection.execute("pragma recursive_triggers = on")

        def begin(connection: Connection) -> None:
            writes = connection.get_execution_options().get(WRITES, False)
            connection.exec_driver_sql("begin immediate" if writes else "begin")

        event.listen(engine, "connect", prepare)
        event.listen(engine, "begin", begin)
    elif engine.dialect.name == "postgresql":

        def queue_up(connection: Connection) -> None:
            if connection.get_execution_options().get(WRITES, False):
                connection.exec_driver_sql(f"select pg_advisory_xact_lock({WRITERS_LOCK})")

        event.listen(engine, "begin", queue_up)
    return engine
