"""Open the books and write them in transactions.

SQLite in WAL mode by default, PostgreSQL where `APPORTION_BOOKS_URL` says so. A writing
transaction on SQLite takes the write lock at its start (`begin immediate`), so that two writers
queue up instead of failing half-way; the audit chain relies on that. On PostgreSQL it takes a lock
of its own, which is given back with the transaction, for the same.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pipelines.errors import EXIT_USAGE, ApportionError
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

HEAD_REVISION = "0005"
BOOKS_URL_VARIABLE = "APPORTION_BOOKS_URL"
BUSY_MILLISECONDS = 30_000
WRITES = "apportion_writes"
WRITERS_LOCK = 4_702_111
"""Number of the PostgreSQL lock that writers queue up for; any, as long as all take the same."""


class BooksTooNewError(ApportionError):
    """The books were written by a newer version of this program."""

    exit_code = EXIT_USAGE

    def __init__(self, url: str, found: str) -> None:
        super().__init__(
            f"{url}: expected books of revision {HEAD_REVISION} or older, found {found}. "
            "Use the version of apportion that wrote them, or a newer one."
        )


class BooksUnavailableError(ApportionError):
    """The books cannot be read or written now: locked, a full disk, no permission, no server."""

    exit_code = EXIT_USAGE

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"{url}: the books cannot be used: {reason}. What was not finished was not written. "
            "Let the other writer finish, make them writable or free some space, then repeat it."
        )


class Books:
    """The books of one workspace. Cheap to open; migrates them to the newest schema first."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @classmethod
    def open(cls, workspace: Workspace) -> Books:
        """Open, and create or migrate where needed."""
        url = os.environ.get(BOOKS_URL_VARIABLE) or f"sqlite:///{workspace.books_path}"
        books = cls(_make_engine(url))
        books._migrate()
        return books

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A writing transaction: commits on leaving, rolls back on an exception."""
        with (
            self._available(),
            self.engine.connect().execution_options(**{WRITES: True}) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A reading connection: sees one state of the books, and waits for no writer."""
        with self._available(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def _available(self) -> Iterator[None]:
        from sqlalchemy.exc import OperationalError

        try:
            yield
        except OperationalError as error:
            url = self.engine.url.render_as_string()
            raise BooksUnavailableError(url, str(error.orig).strip()) from error

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()

    def _migrate(self) -> None:
        from sqlalchemy import inspect, text

        with self.read() as connection:
            if inspect(connection).has_table("alembic_version"):
                found = connection.execute(text("select version_num from alembic_version")).scalar()
                if found == HEAD_REVISION:
                    return
                if found is not None and found > HEAD_REVISION:
                    raise BooksTooNewError(self.engine.url.render_as_string(), str(found))
        # Imported only when there is something to migrate: Alembic costs a quarter of a second.
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", "pipelines.books:migrations")
        with self.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def _make_engine(url: str) -> Engine:
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


def current_time() -> str:
    """Now, UTC, to the microsecond, as ISO text."""
    return datetime.now(UTC).isoformat(timespec="microseconds")
