"""A SQLAlchemy dialect `duckdb+buffered` that Great Expectations can read results from.

What it does: it is the dialect of `duckdb-engine`, except that the rows of a result are read into
memory as soon as the statement has run.

Why: DuckDB keeps one pending result per connection, and Great Expectations reads a result after
the next statement has run or the connection has been given back. Without the buffer it fails with
"list index out of range".

Great Expectations makes several engines and closes none of them; a connection that stays in one of
their pools keeps the file open for the rest of the process. So the dialect knows the connections
that it opened, and `close_connections` closes them. (Without a pool, opening the file for every
statement doubled the time of a run.)

Assumes: statements return few rows (counts and short samples). The suites are written that way; a
statement that returned millions of rows would hold them all in memory.

Importing this module imports SQLAlchemy and duckdb-engine, so it is imported only where checks run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote, unquote
from weakref import WeakSet

from duckdb_engine import Dialect as DuckDBDialect
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg2 import PGExecutionContext_psycopg2
from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.engine.url import URL

DIALECT_NAME = "duckdb.buffered"
URL_SCHEME = "duckdb+buffered"


class BufferedExecutionContext(PGExecutionContext_psycopg2):
    """Reads the rows of every statement at once, while DuckDB still has them."""

    def post_exec(self) -> None:
        super().post_exec()  # type: ignore[no-untyped-call]  # untyped in SQLAlchemy
        if self.cursor.description:
            self.cursor_fetch_strategy = FullyBufferedCursorFetchStrategy(
                self.cursor, initial_buffer=self.cursor.fetchall()
            )


class BufferedDuckDBDialect(DuckDBDialect):
    """duckdb-engine's dialect, but with buffered results and known connections."""

    driver = "buffered"
    execution_ctx_cls = BufferedExecutionContext
    supports_statement_cache = False
    opened: ClassVar[WeakSet[DBAPIConnection]] = WeakSet()

    def create_connect_args(self, url: URL) -> tuple[tuple[Any, ...], dict[str, Any]]:
        arguments, options = super().create_connect_args(url)
        return arguments, {**options, "database": unquote(options["database"])}

    def connect(self, *arguments: Any, **options: Any) -> DBAPIConnection:
        connection: DBAPIConnection = super().connect(*arguments, **options)
        self.opened.add(connection)
        return connection


def register_buffered_dialect() -> None:
    """Make `duckdb+buffered://` known to SQLAlchemy. Safe to call more than once."""
    registry.register(DIALECT_NAME, __name__, BufferedDuckDBDialect.__name__)


def make_url(database: Path) -> str:
    """The URL of a DuckDB file. Its path is percent-encoded, because Great Expectations takes a
    dollar sign in it for a variable and SQLAlchemy a question mark for options."""
    return f"{URL_SCHEME}:///{quote(str(database.resolve()))}"


def close_connections() -> None:
    """Close every connection that was opened through the dialect, and with it the files."""
    for connection in list(BufferedDuckDBDialect.opened):
        connection.close()
    BufferedDuckDBDialect.opened.clear()
