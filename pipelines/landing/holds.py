"""Deliveries that are whole and still doubtful: they land, and wait for a person before they count.

Two doubts:

- *late*: a period of the delivery is closed. Its figures are never changed by a file that arrives;
  a person says whether the difference is posted in an open period, as credit and debit notes.
- *deviation*: against the period before, the amounts are more than the declared percentage larger
  or smaller, or the sign of their total turned. That is what a file in cents instead of euros, or
  with credits as costs, looks like; a real change looks the same, and only a person can tell.

Of a source that updates its records (`redelivery: update_records`) a delivery holds what changed,
of whatever periods. It is compared with nothing, and without amounts it is not late either: what a
ticket of a closed period turns into changes no closed figure, and must not hold the others back.

The first period of a delivery is compared: within one file the unit is one. Compared are gross
amounts, so that credits do not hide costs, and the net total only where it is most of the gross.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Table

    from pipelines.landing.load_log import LandedDelivery
    from pipelines.landing.record_counts import PeriodAmount

HoldKind = Literal["late", "deviation"]

ONE_SIDED = Decimal("0.5")
"""A net total of more than this share of the gross has a sign that says something."""


@dataclass(frozen=True)
class Hold:
    """Why a load does not count yet."""

    kind: HoldKind
    reason: str


def find_hold(connection: Connection, landed: LandedDelivery) -> Hold | None:
    """Why the delivery must wait for a person, None where it need not."""
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
    return None if updates else _find_deviation(connection, landed)


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


def _find_deviation(connection: Connection, landed: LandedDelivery) -> Hold | None:
    limit = landed.delivery.change_limit
    if limit is None or not landed.counts.by_period:
        return None
    first = min(item.period_id for item in landed.counts.by_period)
    own = {i.currency_code: i for i in landed.counts.by_period if i.period_id == first}
    before = _read_period_before(connection, landed, first)
    for code in sorted(own):
        if code in before:
            period, amount, gross = before[code]
            reason = _compare(own[code], period, amount, gross, limit)
            if reason is not None:
                return Hold("deviation", reason)
    return None


def _compare(
    own: PeriodAmount, period: str, amount: Decimal, gross: Decimal, limit: Decimal
) -> str | None:
    """What is far from the period before, in a sentence."""
    if not gross or not own.gross_local:
        return None
    code = own.currency_code
    change = (own.gross_local - gross) / gross * 100
    if abs(change) > limit:
        return (
            f"{own.period_id} has {own.gross_local:,.2f} {code} of absolute amounts, {period} had "
            f"{gross:,.2f}: {change:+,.0f} %, and more than ±{limit:f} % is looked at by a person"
        )
    is_one_sided = min(abs(own.amount_local) / own.gross_local, abs(amount) / gross) > ONE_SIDED
    if is_one_sided and (own.amount_local > 0) != (amount > 0):
        return (
            f"{own.period_id} sums to {own.amount_local:,.2f} {code}, {period} to {amount:,.2f}: "
            "the sign turned, which is looked at by a person"
        )
    return None


def _read_period_before(
    connection: Connection, landed: LandedDelivery, first: str
) -> dict[str, tuple[str, Decimal, Decimal]]:
    """By currency: the latest earlier period of the source that counts, its amount and gross.

    A period delivered in several files is their sum.
    """
    from sqlalchemy import func, select

    from pipelines.books.tables import load_amounts, loads

    counting = (
        (loads.c.source_id == landed.delivery.source_id)
        & loads.c.superseded_by.is_(None)
        & is_counting(loads)
        & (load_amounts.c.period_id < first)
        & is_period_counting(load_amounts.c.load_id, load_amounts.c.period_id)
    )
    joined = load_amounts.join(loads)
    latest = connection.execute(
        select(func.max(load_amounts.c.period_id)).select_from(joined).where(counting)
    ).scalar()
    if latest is None:
        return {}
    rows = connection.execute(
        select(
            load_amounts.c.currency_code, load_amounts.c.amount_local, load_amounts.c.gross_local
        )
        .select_from(joined)
        .where(counting, load_amounts.c.period_id == latest)
    )
    sums: dict[str, tuple[str, Decimal, Decimal]] = {}
    for code, amount, gross in rows:
        _, own, all_of_it = sums.get(code, (latest, Decimal(0), Decimal(0)))
        sums[code] = (latest, own + Decimal(amount), all_of_it + Decimal(gross))
    return sums


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
