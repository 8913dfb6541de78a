"""Open the books and write them in transactions.

SQLite in WAL mode by default, PostgreSQL where `APPORTION_BOOKS_URL` says so. A writing
transaction on SQLite takes the write lock at its start (`begin immediate`), so that two writers
queue up instead of failing half-way; the audit chain relies on that. On PostgreSQL two writers of
the audit log at once collide on its key: one of them fails as a whole and may be run again.

Who only looks opens them read-only (`Books.open_read_only`): the database itself refuses to write,
whatever is asked of it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pipelines.errors import EXIT_USAGE, ApportionError
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine import URL

HEAD_REVISION = "0008"
BOOKS_URL_VARIABLE = "APPORTION_BOOKS_URL"
BUSY_MILLISECONDS = 30_000
WRITES = "apportion_writes"


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


class BooksOutdatedError(ApportionError):
    """The books are to be read only, and are not there or of an older version of this program."""

    exit_code = EXIT_USAGE

    def __init__(self, url: str, found: str | None) -> None:
        super().__init__(
            f"{url}: expected books of revision {HEAD_REVISION}, found "
            f"{'none' if found is None else found}. They are opened for reading only, which does "
            "not change them. Run 'apportion period list' once: it makes them or brings them up to "
            "date."
        )


class BooksReadOnlyError(ApportionError):
    """Something would have written to books that were opened for reading only: a defect."""

    def __init__(self, url: str) -> None:
        super().__init__(f"{url}: the books were opened for reading only, and nothing was written")


class Books:
    """The books of one workspace. Cheap to open; migrates them to the newest schema first."""

    def __init__(self, engine: Engine, *, is_read_only: bool = False) -> None:
        self.engine = engine
        self.is_read_only = is_read_only

    @classmethod
    def open(cls, workspace: Workspace) -> Books:
        """Open, and create or migrate where needed."""
        books = cls(_make_engine(_find_url(workspace)))
        books._migrate()
        return books

    @classmethod
    def open_read_only(cls, workspace: Workspace) -> Books:
        """Open so that nothing can be written, neither rows nor a migration: SQLite opens the file
        with `mode=ro`, PostgreSQL runs read-only transactions. Keeps no connection open between
        two readings, so that it may be opened by every page that is looked at.

        Raises BooksOutdatedError where there are no books yet, or those of an older version;
        BooksTooNewError and BooksUnavailableError as `open` does.
        """
        books = cls(_make_read_only_engine(_find_url(workspace)), is_read_only=True)
        books._refuse_outdated()
        return books

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A writing transaction: commits on leaving, rolls back on an exception."""
        if self.is_read_only:
            raise BooksReadOnlyError(self.engine.url.render_as_string())
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

    def _find_revision(self) -> str | None:
        """The revision of the books, None where there is none. Raises BooksTooNewError."""
        from sqlalchemy import inspect, text

        with self.read() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            found = connection.execute(text("select version_num from alembic_version")).scalar()
        if found is not None and found > HEAD_REVISION:
            raise BooksTooNewError(self.engine.url.render_as_string(), str(found))
        return None if found is None else str(found)

    def _refuse_outdated(self) -> None:
        url = self.engine.url
        is_file = url.get_backend_name() == "sqlite"
        is_there = not is_file or Path(str(url.database)).exists()
        found = self._find_revision() if is_there else None
        if found != HEAD_REVISION:
            raise BooksOutdatedError(url.render_as_string(), found)

    def _migrate(self) -> None:
        if self._find_revision() == HEAD_REVISION:
            return
        # Imported only when there is something to migrate: Alembic costs a quarter of a second.
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", "pipelines.books:migrations")
        with self.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def _find_url(workspace: Workspace) -> URL:
    from sqlalchemy.engine import URL, make_url

    address = os.environ.get(BOOKS_URL_VARIABLE)
    if address:
        return make_url(address)
    # As a part of an address, because a path may hold what has a meaning in one.
    return URL.create("sqlite", database=str(workspace.books_path))


def _make_read_only_engine(url: URL) -> Engine:
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


def _make_engine(url: str | URL) -> Engine:
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
    return engine


def current_time() -> str:
    """Now, UTC, to the microsecond, as ISO text."""
    return datetime.now(UTC).isoformat(timespec="microseconds")
