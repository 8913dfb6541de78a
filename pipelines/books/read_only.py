"""Read the books without being able to write them: for the app and for reports.

SQLite is opened with `mode=ro`, PostgreSQL in sessions whose transactions are read-only; so the
database itself refuses a write, whatever the code tries. Nothing is created and nothing is
migrated: books of another version of this program are not read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pipelines.books.books import (
    BOOKS_URL_VARIABLE,
    BUSY_MILLISECONDS,
    HEAD_REVISION,
    Books,
    BooksTooNewError,
)
from pipelines.errors import EXIT_USAGE, ApportionError
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.engine import URL


class BooksNotReadyError(ApportionError):
    """There are no books yet, or those of an older version, which a reader does not migrate."""

    exit_code = EXIT_USAGE

    def __init__(self, url: str, found: str | None) -> None:
        what = f"books of revision {found}" if found else "none"
        super().__init__(
            f"{url}: expected books of revision {HEAD_REVISION}, found {what}. "
            "'apportion period list' makes them, or brings them up to date."
        )


@contextmanager
def open_read_only(workspace: Workspace) -> Iterator[Books]:
    """The books of a workspace, for reading alone; closed on leaving. Raises BooksNotReadyError
    where there are none of this version, BooksTooNewError where a newer one wrote them."""
    from sqlalchemy import inspect, text
    from sqlalchemy.engine import make_url

    url = make_url(os.environ.get(BOOKS_URL_VARIABLE) or f"sqlite:///{workspace.books_path}")
    shown = url.render_as_string()
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists():
        raise BooksNotReadyError(shown, None)
    books = Books(_make_engine(url))
    try:
        with books.read() as connection:
            found = None
            if inspect(connection).has_table("alembic_version"):
                found = connection.execute(text("select version_num from alembic_version")).scalar()
        if found is not None and found > HEAD_REVISION:
            raise BooksTooNewError(shown, str(found))
        if found != HEAD_REVISION:
            raise BooksNotReadyError(shown, found)
        yield books
    finally:
        books.close()


def _make_engine(url: URL) -> Engine:
    from sqlalchemy import create_engine, event

    if url.get_backend_name() != "sqlite":
        return create_engine(url, connect_args={"options": "-c default_transaction_read_only=on"})
    path = quote(str(Path(str(url.database)).resolve()))
    engine = create_engine(f"sqlite:///file:{path}?mode=ro&uri=true")

    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        connection.execute(f"pragma busy_timeout = {BUSY_MILLISECONDS}")

    event.listen(engine, "connect", prepare)
    # One state of the books for all that is read on a connection.
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("begin"))
    return engine
