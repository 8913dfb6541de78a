"""Open the books and write them in transactions.

SQLite in WAL mode by default, PostgreSQL where `APPORTION_BOOKS_URL` says so. A writing
transaction on SQLite takes the write lock at its start (`begin immediate`), so that two writers
queue up instead of failing half-way; the audit chain relies on that. On PostgreSQL two writers of
the audit log at once collide on its key: one of them fails as a whole and may be run again.

Books of an older schema are migrated in one transaction when they are opened; those in SQLite are
copied aside before, so that an upgrade that fails or is regretted leaves the last good state.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.errors import EXIT_USAGE, ApportionError
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

HEAD_REVISION = "0007"
BOOKS_URL_VARIABLE = "APPORTION_BOOKS_URL"
BUSY_MILLISECONDS = 30_000
WRITES = "apportion_writes"
_address: ContextVar[str | None] = ContextVar("books_address", default=None)


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
        books = cls.connect(find_address(workspace))
        books.migrate()
        return books

    @classmethod
    def connect(cls, address: str) -> Books:
        """The books at an address as they are: neither made nor migrated."""
        return cls(_make_engine(address))

    def find_revision(self) -> str | None:
        """The schema that the books have; None where there are none yet."""
        from sqlalchemy import inspect, text

        with self.read() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            found = connection.execute(text("select version_num from alembic_version")).scalar()
            return None if found is None else str(found)

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

    def migrate(self, revision: str = "head") -> None:
        """Bring the books to the newest schema, or to the named one."""
        found = self.find_revision()
        if found in (HEAD_REVISION, revision):
            return
        if found is not None and found > HEAD_REVISION:
            raise BooksTooNewError(self.engine.url.render_as_string(), found)
        # Imported only when there is something to migrate: Alembic costs a quarter of a second.
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", "pipelines.books:migrations")
        with self.begin() as connection:
            # Read again under the write lock: somebody else may have been faster.
            found = self.find_revision()
            if found is not None and found != HEAD_REVISION:
                self._keep_aside(found)
            config.attributes["connection"] = connection
            command.upgrade(config, revision)

    def _keep_aside(self, revision: str) -> None:
        """Copy SQLite books as they were last committed; PostgreSQL is backed up by its own."""
        database = self.engine.url.database
        if self.engine.dialect.name == "sqlite" and database:
            path = Path(database)
            copy_sqlite(path, name_kept_aside(path, revision))


def find_address(workspace: Workspace) -> str:
    """Where the books of a workspace are."""
    named = _address.get() or os.environ.get(BOOKS_URL_VARIABLE)
    return named or f"sqlite:///{workspace.books_path}"


@contextmanager
def use_books_at(address: str) -> Iterator[None]:
    """Open these books within the block, whatever the environment names: for a copy of a workspace
    that must not touch the books of the original."""
    token = _address.set(address)
    try:
        yield
    finally:
        _address.reset(token)


def name_kept_aside(path: Path, revision: str) -> Path:
    """Where SQLite books of an older schema are kept: books.sqlite -> books.0005.sqlite."""
    return path.with_name(f"{path.stem}.{revision}{path.suffix}")


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy SQLite books that may be in use, as last committed; whole and synced, or not at all."""
    from pipelines.warehouse.publication import sync_directory

    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(temporary)) as new:
            old.execute(f"pragma busy_timeout = {BUSY_MILLISECONDS}")
            old.backup(new)
            # The copy is to be one file, which can be read where nothing can be written.
            new.execute("pragma journal_mode = delete")
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    sync_directory(target.parent)


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
    return engine


def current_time() -> str:
    """Now, UTC, to the microsecond, as ISO text."""
    return datetime.now(UTC).isoformat(timespec="microseconds")
