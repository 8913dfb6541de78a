"""In which period an adjustment is posted: chosen once, when it is accepted, and never again.

It is the earliest period with actual cost that is neither approved nor closed, does not come before
the period that is disputed, and comes after the last one that was closed. An approved period is
left as it was signed. Where there is no such period yet, it is the next one of the calendar, where
the adjustment waits for the deliveries of the month.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipelines.close.period_states import ACTUAL
from pipelines.errors import ControlError

if TYPE_CHECKING:
    from sqlalchemy import Connection

SETTLED = ("approved", "closed")


def find_posting_period(
    states: dict[str, str], origin: str, with_cost: Sequence[str], calendar: Sequence[str]
) -> str:
    """The period in which an adjustment of `origin` is posted.

    `states`: of the newest version of every period that the books know; `with_cost`: periods with
    actual cost; `calendar`: all periods, in order. Raises ControlError where the calendar ends.
    """
    closed = [period for period, state in states.items() if state == "closed"]
    last_closed = max(closed, default="")

    def is_open(period: str) -> bool:
        return period > last_closed and period >= origin and states.get(period) not in SETTLED

    found = min(filter(is_open, with_cost), default=None)
    if found is None:
        # An earlier one without cost is passed over: its deliveries will not come any more.
        latest = max(with_cost, default="")
        later = [period for period in calendar if period > latest and is_open(period)]
        found = min(later, default=None)
    if found is None:
        raise ControlError(
            f"there is no open period to post an adjustment of {origin} in: the calendar ends with "
            f"{max(calendar, default='nothing')}. Extend 'calendar' in apportion.yml."
        )
    return found


def lock_states(connection: Connection) -> dict[str, str]:
    """State of the newest version of every period, which nobody steps until the end of the caller's
    transaction."""
    from sqlalchemy import select

    from pipelines.books.tables import periods

    # SQLite has locked the whole database already, and leaves 'for update' out.
    rows = connection.execute(
        select(periods.c.period_id, periods.c.version, periods.c.state)
        .where(periods.c.scenario_id == ACTUAL)
        .order_by(periods.c.period_id, periods.c.version)
        .with_for_update()
    )
    return {row.period_id: row.state for row in rows}
