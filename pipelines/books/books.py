"""Open the books and write them in transactions.

SQLite by default, PostgreSQL where `APPORTION_BOOKS_URL` says so. Two writers queue up instead of
failing half-way; the audit chain relies on that (`engines`).

Books of an older schema are migrated in one transaction when they are opened; those in SQLite are
copied aside before, so that an upgrade that fails or is regretted leaves the last good state.

Who only looks opens them read-only (`Books.open_read_only`): the database itself refuses to write,
whatever is asked of it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.books.engines import (
    BUSY_MILLISECONDS,
    WRITES,
    make_engine,
    make_read_only_engine,
)
from pipelines.errors import EXIT_USAGE, ApportionError
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine import URL

HEAD_REVISION = "0010"
BOOKS_URL_VARIABLE = "APPORTION_BOOKS_URL"
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
        books = cls.connect(find_url(workspace))
        books.migrate()
        return books

    @classmethod
    def open_read_only(cls, workspace: Workspace) -> Books:
        """Open so that nothing can be written, neither rows nor a migration: SQLite opens the file
        with `mode=ro`, PostgreSQL runs read-only transactions. Keeps no connection open between
        two readings, so that it may be opened by every page that is looked at.

        Raises BooksOutdatedError where there are no books yet, or those of an older version;
        BooksTooNewError and BooksUnavailableError as `open` does.
        """
        books = cls(make_read_only_engine(find_url(workspace)), is_read_only=True)
        books._refuse_outdated()
        return books

    @classmethod
    def connect(cls, address: str | URL) -> Books:
        """The books at an address as they are: neither made nor migrated."""
        return cls(make_engine(address))

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

    def _refuse_outdated(self) -> None:
        url = self.engine.url
        is_file = url.get_backend_name() == "sqlite"
        is_there = not is_file or Path(str(url.database)).exists()
        found = self.find_revision() if is_there else None
        if found is not None and found > HEAD_REVISION:
            raise BooksTooNewError(url.render_as_string(), found)
        if found != HEAD_REVISION:
            raise BooksOutdatedError(url.render_as_string(), found)

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


def find_url(workspace: Workspace) -> URL:
    """Where the books of a workspace are."""
    from sqlalchemy.engine import URL, make_url

    named = _address.get() or os.environ.get(BOOKS_URL_VARIABLE)
    if named:
        return make_url(named)
    # As a part of an address, because a path may hold what has a meaning in one.
    return URL.create("sqlite", database=str(workspace.books_path))


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


def current_time() -> str:
    """Now, UTC, to the microsecond, as ISO text."""
    return datetime.now(UTC).isoformat(timespec="microseconds")
