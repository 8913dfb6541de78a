"""Read the records of a query from a database through SQLAlchemy, a chunk at a time.

The query is read in one transaction; on PostgreSQL that is one snapshot, read-only, with a cursor
that stays at the server. Assumes that its driver is installed. Guarantees that decimals keep their
digits and times their zone; a value without an exact form refuses the pull.

Known limit: a growing number as `updated_column` is given out before its record can be seen, so
that a record written at the same moment may be passed over; a time is read again from somewhat
before (`overlap_minutes`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pipelines.pull.cursors import Cursor, as_cursor
from pipelines.pull.exact_json import parse_exact, write_line
from pipelines.pull.failures import PullFailedError, PullRefusedError
from pipelines.pull.pages import Page
from pipelines.pull.secrets import hide_secrets, read_secret
from pipelines.workspace.connections import SqlConnection

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, TextClause

CHUNK_RECORDS = 5000
MESSAGE_CHARACTERS = 300


def read_sql(
    source_id: str,
    settings: SqlConnection,
    since: Cursor | None,
    exact_columns: Collection[str] = (),
) -> Iterator[Page]:
    """Pages of the query's records, all or those changed at or after `since`.

    `exact_columns` may be no binary floats. Raises PullFailedError where the database cannot be
    read, PullRefusedError where a value cannot be kept exactly.
    """
    address = read_secret(source_id, settings.url_variable, "url_variable")
    with _report_errors(source_id, settings, address):
        engine = _make_engine(source_id, settings, address)
        try:
            with engine.connect() as connection:
                yield from _read_pages(source_id, settings, connection, since, exact_columns)
        finally:
            engine.dispose()


def _read_pages(
    source_id: str,
    settings: SqlConnection,
    connection: Connection,
    since: Cursor | None,
    exact_columns: Collection[str],
) -> Iterator[Page]:
    query = _make_query(settings, connection, since)
    options = {"stream_results": True, "yield_per": CHUNK_RECORDS}
    result = connection.execute(
        query, {} if since is None else {"apportion_since": since}, execution_options=options
    )
    columns = list(result.keys())
    _refuse_columns(source_id, settings, columns)
    newest: Cursor | None = None
    for rows in result.partitions():
        newest = _find_newest(source_id, settings, columns, rows, newest)
        yield Page(
            [_write_record(source_id, columns, row, exact_columns) for row in rows], newest=newest
        )


def _make_engine(source_id: str, settings: SqlConnection, address: str) -> Engine:
    from sqlalchemy import create_engine
    from sqlalchemy.engine import make_url
    from sqlalchemy.pool import NullPool

    url = make_url(address)
    if url.get_backend_name() != "postgresql":
        return create_engine(url, poolclass=NullPool)
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    # Numbers inside JSON keep their digits too.
    return create_engine(
        url,
        poolclass=NullPool,
        isolation_level="REPEATABLE READ",
        execution_options={"postgresql_readonly": True},
        json_deserializer=parse_exact,
        connect_args={
            "connect_timeout": settings.timeout_seconds,
            "tcp_user_timeout": settings.timeout_seconds * 1000,
            "application_name": f"apportion pull {source_id}",
        },
    )


def _make_query(
    settings: SqlConnection, connection: Connection, since: Cursor | None
) -> TextClause:
    from sqlalchemy import text

    # A colon in the query is the query's own: it names no parameter.
    query = settings.query.strip().rstrip(";").replace("\\", "\\\\").replace(":", "\\:")
    if since is None or settings.updated_column is None:
        return text(query)
    quoted = connection.dialect.identifier_preparer.quote(settings.updated_column)
    column = f"pulled.{quoted}"
    # A record without the time of its change would be passed over for ever: it comes every time.
    return text(
        f"select * from (\n{query}\n) pulled where {column} >= :apportion_since or {column} is null"
    )


def _refuse_columns(source_id: str, settings: SqlConnection, columns: Sequence[str]) -> None:
    double = next((name for name in columns if list(columns).count(name) > 1), None)
    if double is not None:
        message = f"the query gives two columns the name '{double}'"
        raise PullFailedError(source_id, message, "Name each column once.")
    if settings.updated_column is not None and settings.updated_column not in columns:
        message = (
            f"expected the column '{settings.updated_column}', found {', '.join(columns)} in the "
            "answer to the query"
        )
        raise PullFailedError(source_id, message, "Correct updated_column or the query.")


def _find_newest(
    source_id: str,
    settings: SqlConnection,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    newest: Cursor | None,
) -> Cursor | None:
    if settings.updated_column is None:
        return None
    position = columns.index(settings.updated_column)
    for row in rows:
        value = row[position]
        if value is None:
            continue
        cursor = as_cursor(value)
        if cursor is None or (newest is not None and type(cursor) is not type(newest)):
            message = (
                f"expected times, dates or whole numbers in the column "
                f"'{settings.updated_column}', found a value of the type {type(value).__name__}"
            )
            raise PullFailedError(source_id, message, "Cast it in the query, or name another.")
        if newest is None or cursor > newest:  # type: ignore[operator]
            newest = cursor
    return newest


def _write_record(
    source_id: str, columns: Sequence[str], row: Sequence[Any], exact_columns: Collection[str]
) -> bytes:
    record = dict(zip(columns, row, strict=True))
    for name in exact_columns:
        if isinstance(record.get(name), float):
            message = f"the column '{name}' is an amount, and the query gives a binary float"
            remedy = f"An amount is exact: cast({name} as numeric) in the query."
            raise PullRefusedError(source_id, message, remedy)
    try:
        return write_line(record)
    except TypeError as error:
        name = next(key for key, value in record.items() if not _can_write(value))
        message = f"the column '{name}' has a value of the type {error}, which has no exact text"
        raise PullRefusedError(
            source_id, message, "Cast it to a text in the query, or leave it out."
        ) from None


def _can_write(value: Any) -> bool:
    try:
        write_line({"": value})
    except TypeError:
        return False
    return True


@contextmanager
def _report_errors(source_id: str, settings: SqlConnection, address: str) -> Iterator[None]:
    """Turn the errors of SQLAlchemy and the driver into a sentence without the address."""
    from sqlalchemy.exc import (
        ArgumentError,
        DBAPIError,
        NoSuchModuleError,
        OperationalError,
        SQLAlchemyError,
    )

    try:
        yield
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        kind = "the driver is not installed" if isinstance(error, ImportError) else "not known"
        message = (
            f"the environment variable {settings.url_variable} holds no usable SQLAlchemy address "
            f"({kind})"
        )
        remedy = "Use one such as postgresql+psycopg://user:password@host/database."
        raise PullFailedError(source_id, message, remedy) from None
    except OperationalError as error:
        message = f"the database of {settings.url_variable} answered: {_say(error, address)}"
        remedy = "Look at its address, its user and password, and whether it can be reached."
        raise PullFailedError(source_id, message, remedy) from None
    except (DBAPIError, SQLAlchemyError) as error:
        message = f"the database refused the query: {_say(error, address)}"
        remedy = "Look at the query, updated_column, and what the user may read."
        raise PullFailedError(source_id, message, remedy) from None


def _say(error: Exception, address: str) -> str:
    from urllib.parse import unquote

    from sqlalchemy.engine import make_url

    url = make_url(address)
    secrets = {address, url.password or "", unquote(url.password or "")}
    secrets |= {str(value) for key, value in url.query.items() if "password" in key.lower()}
    text = " ".join(str(getattr(error, "orig", None) or error).split())
    shown = text if len(text) <= MESSAGE_CHARACTERS else f"{text[:MESSAGE_CHARACTERS]}…"
    return hide_secrets(shown, secrets)
