"""Whether the statements of a period have been sent, as the books know it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sqlalchemy import Connection


class Attempt(NamedTuple):
    """One attempt to send a unit's statement to an address; a later one takes its place."""

    business_unit_id: str
    address: str
    state: str
    person_name: str
    finished_at: str | None


def find_sending(connection: Connection, period_id: str, version: int) -> tuple[str, str] | None:
    """Who sent the last statement of the period, and when; None while one of them is not sent, or
    none was sent yet."""
    from sqlalchemy import false, select

    from pipelines.books.tables import dispatches as table

    rows = connection.execute(
        select(*(table.c[name] for name in Attempt._fields))
        .where(
            table.c.period_id == period_id,
            table.c.version == version,
            table.c.is_preview == false(),
        )
        .order_by(table.c.dispatch_id)
    )
    return judge_attempts(Attempt(*row) for row in rows)


def judge_attempts(attempts: Iterable[Attempt]) -> tuple[str, str] | None:
    """Person and time of the last one, if the latest attempt of every unit and address was sent."""
    latest = {(item.business_unit_id, item.address): item for item in attempts}
    if not latest or any(item.state != "sent" for item in latest.values()):
        return None
    last = max(latest.values(), key=lambda item: item.finished_at or "")
    return last.person_name, str(last.finished_at)
