"""Deliveries that are whole and still doubtful: they land, and wait for a person before they count.

Two doubts:

- *late*: a period of the delivery is closed. Its figures are never changed by a file that arrives;
  a person says whether the difference is posted in an open period, as credit and debit notes.
- *deviation*: a period and currency of it is far from the months around it, from what it replaces,
  or has the sign turned. That is what a file in cents instead of euros, half a month, or credits as
  costs looks like; a real change looks the same, and only a person can tell
  (`compare_periods`, `judge_loads`).

Of a source that updates its records (`redelivery: update_records`) a delivery holds what changed,
of whatever periods. It is compared with nothing, and without amounts it is not late either: what a
ticket of a closed period turns into changes no closed figure, and must not hold the others back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Table

    from pipelines.landing.load_log import LandedDelivery
    from pipelines.workspace.config import HoldSettings

HoldKind = Literal["late", "deviation"]

HOLD_PENDING = "not compared yet with the other deliveries of its source; 'apportion land' does it"
"""Reason of a load that the landing in which it came has not settled yet."""


@dataclass(frozen=True)
class Hold:
    """Why a load does not count yet."""

    kind: HoldKind
    reason: str


def find_hold(
    connection: Connection, landed: LandedDelivery, settings: HoldSettings
) -> Hold | None:
    """Why the delivery must wait, None where it need not: for a person, or until all files of the
    landing are there and `settle_holds` has compared them."""
    delivery = landed.delivery
    updates = delivery.source.redelivery == "update_records"
    if updates and delivery.contract.amount_field is None:
        return None
    closed = list_closed_periods(connection, delivery.source.scenario, landed.periods)
    if closed:
        names = ", ".join(closed)
        return Hold(
            "late",
            f"{names} is closed and does not change; released, the difference is posted as credit "
            "and debit notes in an open period",
        )
    if updates or not landed.delivery.is_compared(settings):
        return None
    return Hold("deviation", HOLD_PENDING)


def list_closed_periods(connection: Connection, scenario_id: str, periods: list[str]) -> list[str]:
    """Which of the periods are closed in their newest version."""
    from sqlalchemy import select

    from pipelines.books.tables import periods as table

    if not periods:
        return []
    rows = connection.execute(
        select(table.c.period_id, table.c.state)
        .where(table.c.scenario_id == scenario_id, table.c.period_id.in_(periods))
        .order_by(table.c.period_id, table.c.version)
    )
    newest = {row.period_id: row.state for row in rows}
    return sorted(period for period, state in newest.items() if state == "closed")


def is_period_counting(
    load_id: ColumnElement[int], period_id: ColumnElement[str]
) -> ColumnElement[bool]:
    """SQL: whether no other load took the place of a load in one period of it."""
    from sqlalchemy import exists

    from pipelines.books.tables import load_periods

    return ~exists().where(
        load_periods.c.load_id == load_id,
        load_periods.c.period_id == period_id,
        load_periods.c.superseded_by.is_not(None),
    )


def is_counting(loads: Table) -> ColumnElement[bool]:
    """SQL: whether a load of the table is not held, or was released."""
    from sqlalchemy import or_

    return or_(loads.c.hold_kind.is_(None), loads.c.hold_decision == "released")


def is_pending(loads: Table) -> ColumnElement[bool]:
    """SQL: whether a load of the table came in the landing that is still going on."""
    return (loads.c.hold_reason == HOLD_PENDING) & loads.c.hold_decision.is_(None)
