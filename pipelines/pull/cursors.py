"""How far a source has been read: the time, date or number of the last change that landed.

What the books keep is a text that says its type, so that it is bound to a query as what it was.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipelines.books.audit import append_audit
from pipelines.books.books import Books, current_time
from pipelines.books.person import current_person

if TYPE_CHECKING:
    from pipelines.workspace.connections import Connection

Cursor = datetime | date | int
"""A time with or without zone, a date, or a number that grows."""

UNASKED = {"overlap_minutes", "timeout_seconds", "page_size", "max_attempts"}
UNASKED |= {"user_variable", "password_variable", "token_variable"}
"""Settings that do not change which records a connection asks for."""


@dataclass(frozen=True)
class Pull:
    """One file that was pulled."""

    source_id: str
    connection_hash: str
    file_name: str
    sha256: str
    records: int
    cursor_before: Cursor | None
    cursor_after: Cursor | None


def as_cursor(value: Any) -> Cursor | None:
    """The value as a cursor; None where it can be none, such as a text or a fraction."""
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, datetime | date | int):
        return None
    return value.astimezone(UTC) if isinstance(value, datetime) and value.tzinfo else value


def write_cursor(cursor: Cursor) -> str:
    """The cursor as the books keep it."""
    if isinstance(cursor, int):
        return f"number {cursor}"
    return f"{'time' if isinstance(cursor, datetime) else 'date'} {cursor.isoformat()}"


def parse_cursor(text: str) -> Cursor:
    """The cursor that `write_cursor` wrote."""
    kind, _, value = text.partition(" ")
    if kind == "number":
        return int(value)
    return datetime.fromisoformat(value) if kind == "time" else date.fromisoformat(value)


def step_back(cursor: Cursor, minutes: int) -> Cursor:
    """Where the next pull begins; a date goes back by whole days, a number cannot."""
    if isinstance(cursor, datetime):
        return cursor - timedelta(minutes=minutes)
    if isinstance(cursor, date):
        return cursor - timedelta(days=-(-minutes // 1440))
    return cursor


def show_cursor(cursor: Cursor) -> str:
    """The cursor for the name of a file."""
    if isinstance(cursor, datetime):
        return cursor.strftime("%Y%m%dT%H%M%S") + ("Z" if cursor.tzinfo else "")
    return cursor.strftime("%Y%m%d") if isinstance(cursor, date) else str(cursor)


def hash_connection(connection: Connection) -> str:
    """What is asked for, as a hash: another query or table has no cursor yet."""
    asked = connection.model_dump(mode="json", exclude=UNASKED)
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def find_cursor(books: Books, source_id: str, connection_hash: str) -> Cursor | None:
    """The cursor of the latest pull of this question whose file has landed and counts; None
    before it. What is held may be discarded, and is asked for again until somebody decides."""
    from sqlalchemy import select

    from pipelines.books.tables import loads, pulls
    from pipelines.landing.holds import is_counting

    landed = (
        select(pulls.c.cursor_after)
        .join(loads, (loads.c.source_id == pulls.c.source_id) & (loads.c.sha256 == pulls.c.sha256))
        .where(
            pulls.c.source_id == source_id,
            pulls.c.connection_hash == connection_hash,
            pulls.c.cursor_after.is_not(None),
            is_counting(loads),
        )
        .order_by(pulls.c.pull_id.desc())
        .limit(1)
    )
    with books.read() as connection:
        text = connection.execute(landed).scalar()
    return parse_cursor(text) if text else None


def find_landed(books: Books, source_id: str, sha256: str) -> bool | None:
    """Whether the content is that of the source's latest load; None where it never landed."""
    from sqlalchemy import select

    from pipelines.books.tables import loads

    with books.read() as connection:
        hashes = connection.execute(
            select(loads.c.sha256).where(loads.c.source_id == source_id).order_by(loads.c.load_id)
        ).scalars()
        landed = list(hashes)
    return landed[-1] == sha256 if sha256 in landed else None


def record_pull(books: Books, pull: Pull) -> None:
    """Write a pull and its line of the audit log."""
    from pipelines.books.tables import pulls

    before, after = (
        write_cursor(cursor) if cursor is not None else None
        for cursor in (pull.cursor_before, pull.cursor_after)
    )
    values = {**vars(pull), "cursor_before": before, "cursor_after": after}
    with books.begin() as connection:
        connection.execute(
            pulls.insert().values(**values, pulled_at=current_time(), pulled_by=current_person())
        )
        details = {"sha256": pull.sha256, "records": pull.records, "from": before, "to": after}
        append_audit(connection, "pull", f"{pull.source_id}/{pull.file_name}", details)
