"""Remember what was sent to whom: an attempt is written down before it is made, and finished once.

So two who send at once meet in the books before the recipient gets two mails, and an attempt that
was cut off, of which nobody knows whether it arrived, is not repeated by itself.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.books.audit import append_audit
from pipelines.books.books import Books, current_time
from pipelines.books.person import current_person
from pipelines.errors import ControlError
from pipelines.warehouse.publication import hash_file

if TYPE_CHECKING:
    from sqlalchemy import Connection, RowMapping

SENDING, SENT, FAILED = "sending", "sent", "failed"
MOST_CHARACTERS = 1000


@dataclass(frozen=True)
class Destination:
    """One statement on its way to one address."""

    period_id: str
    version: int
    is_preview: bool
    business_unit_id: str
    channel: str
    address: str


def list_attempts(
    books: Books, period_id: str, version: int, *, is_preview: bool
) -> dict[Destination, RowMapping]:
    """The latest attempt to every address of a period."""
    from sqlalchemy import select

    from pipelines.books.tables import dispatches as table

    query = (
        select(table)
        .where(
            table.c.period_id == period_id,
            table.c.version == version,
            table.c.is_preview == is_preview,
        )
        .order_by(table.c.attempt)
    )
    names = Destination.__dataclass_fields__
    with books.read() as connection:
        return {
            Destination(**{name: row[name] for name in names}): row
            for row in connection.execute(query).mappings()
        }


def begin_attempt(books: Books, destination: Destination, files: list[Path]) -> int:
    """Write down that it is being sent now. Raises ControlError where somebody else has begun at
    the same moment."""
    from sqlalchemy.exc import IntegrityError

    from pipelines.books.tables import dispatches as table

    hashes = json.dumps({path.name: hash_file(path) for path in files}, sort_keys=True)
    key = vars(destination)
    try:
        with books.begin() as connection:
            row = connection.execute(
                table.insert().values(
                    **key,
                    attempt=_count_attempts(connection, key) + 1,
                    files=hashes,
                    sha256=hashlib.sha256(hashes.encode()).hexdigest(),
                    state=SENDING,
                    person_name=current_person(),
                    started_at=current_time(),
                )
            )
            assert row.inserted_primary_key is not None
            return int(row.inserted_primary_key[0])
    except IntegrityError:
        raise ControlError(
            f"somebody else is sending the statements of {destination.period_id} at this moment; "
            "wait for it, then see what is left"
        ) from None


def finish_attempt(books: Books, dispatch_id: int, error: str | None = None) -> None:
    """Write down what became of it: sent, or why not."""
    from pipelines.books.tables import dispatches as table

    state = SENT if error is None else FAILED
    with books.begin() as connection:
        connection.execute(
            table.update()
            .where(table.c.dispatch_id == dispatch_id)
            .values(
                state=state,
                error=None if error is None else error[:MOST_CHARACTERS],
                finished_at=current_time(),
            )
        )
        row = (
            connection.execute(table.select().where(table.c.dispatch_id == dispatch_id))
            .mappings()
            .one()
        )
        subject = f"{row['period_id']} version {row['version']} {row['business_unit_id']}"
        names = ("channel", "address", "attempt", "is_preview", "state", "error", "sha256")
        append_audit(connection, "send statement", subject, {name: row[name] for name in names})


def _count_attempts(connection: Connection, key: dict[str, Any]) -> int:
    from sqlalchemy import func, select

    from pipelines.books.tables import dispatches as table

    found = [table.c[name] == value for name, value in key.items()]
    return int(connection.execute(select(func.max(table.c.attempt)).where(*found)).scalar() or 0)
