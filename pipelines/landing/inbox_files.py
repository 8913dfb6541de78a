"""Which files of the inbox are known by size and time, so that they need not be read again.

A file that was written to within two seconds of when it was looked at may have changed since
without its time saying so; such a file is read again (the rule that version control goes by).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pipelines.books.books import Books
from pipelines.landing.delivery import Delivery
from pipelines.landing.load_log import KnownLoad, find_known
from pipelines.readers.safe_bytes import BytesSeen

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

SETTLED_NS = 2_000_000_000


def find_unchanged(books: Books, delivery: Delivery) -> KnownLoad | None:
    """The load of a file that is as it was when it landed; None where it has to be read."""
    from sqlalchemy import select

    from pipelines.books.tables import inbox_files as table

    try:
        status = delivery.path.stat()
    except OSError:
        return None
    with books.read() as connection:
        row = connection.execute(select(table).where(_is_file(delivery))).first()
        if row is None or (row.bytes, row.modified_ns) != (status.st_size, status.st_mtime_ns):
            return None
        if row.looked_at_ns - row.modified_ns < SETTLED_NS:
            return None
        return find_known(connection, delivery.source_id, row.sha256)


def remember_file(books: Books, delivery: Delivery, seen: BytesSeen) -> None:
    """Keep what a file of the inbox was when its content was seen."""
    from sqlalchemy import delete

    from pipelines.books.tables import inbox_files as table

    with books.begin() as connection:
        connection.execute(delete(table).where(_is_file(delivery)))
        connection.execute(
            table.insert().values(
                source_id=delivery.source_id,
                path=_name_path(delivery),
                bytes=seen.size,
                modified_ns=seen.modified_ns,
                looked_at_ns=time.time_ns(),
                sha256=seen.sha256,
            )
        )


def _is_file(delivery: Delivery) -> ColumnElement[bool]:
    from pipelines.books.tables import inbox_files as table

    return (table.c.source_id == delivery.source_id) & (table.c.path == _name_path(delivery))


def _name_path(delivery: Delivery) -> str:
    """The file's path as text that a database takes; a name may hold bytes that are not UTF-8."""
    path = str(delivery.path)
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return ascii(path)  # Begins with a quote, as no path of an inbox does.
    return path
