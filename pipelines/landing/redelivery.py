"""What a delivery does to earlier ones of its source, as the source declares.

`refuse` keeps a period that was delivered, `replace_period` lets the new one count instead (the
older copy stays in the lake, and the books name what superseded it), `append` lets both count,
`update_records` too, but of the records with one key only that of the latest load
(`warehouse/latest_records`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines.contracts.contract import load_contract
from pipelines.errors import DeliveryRefusedError, Problem
from pipelines.landing.holds import is_counting
from pipelines.workspace.config import Redelivery

if TYPE_CHECKING:
    from sqlalchemy import Connection

ADDING_MODES = ("append", "update_records")
"""Modes in which a delivery supersedes no earlier one."""


@dataclass
class _EarlierLoad:
    file_name: str
    sha256: str
    periods: set[str] = field(default_factory=set)

    def __str__(self) -> str:
        return f"'{self.file_name}' (sha256 {self.sha256[:12]}…)"


def find_superseded(
    connection: Connection,
    source_id: str,
    redelivery: Redelivery,
    name: str,
    sha256: str,
    periods: list[str],
) -> list[int]:
    """Loads that a delivery of `periods` supersedes; no periods means all data of the source. A
    load of which no period can be read is superseded by a later file of its name only.

    Is to be called in the transaction that records the delivery, so that two deliveries of one
    period cannot overlook each other. Raises DeliveryRefusedError where the source declares so.
    """
    if redelivery in ADDING_MODES:
        return []
    covered = set(periods)
    overlapping = _list_overlapping(connection, source_id, sha256, covered)
    unreadable = _list_unreadable(connection, source_id, sha256)
    is_replacing = redelivery == "replace_period"
    overlapping = {
        key: load
        for key, load in overlapping.items()
        if key not in unreadable or (is_replacing and load.file_name == name)
    }
    if not overlapping:
        return []
    first = next(iter(overlapping.values()))
    if redelivery == "refuse":
        raise _refuse_again(name, source_id, sha256, first, first.periods & covered)
    for load in overlapping.values():
        if not load.periods <= covered:
            raise _refuse_part(name, load, load.periods - covered)
    return list(overlapping)


def _list_overlapping(
    connection: Connection, source_id: str, sha256: str, covered: set[str]
) -> dict[int, _EarlierLoad]:
    """Other loads of the source that count and hold one of the periods; a load without periods
    holds all of them. Asked of the index by period, so that a long history costs nothing."""
    from sqlalchemy import or_, select

    from pipelines.books.tables import load_periods, loads

    query = (
        select(loads.c.load_id, loads.c.file_name, loads.c.sha256, load_periods.c.period_id)
        .outerjoin(load_periods)
        .where(
            loads.c.source_id == source_id,
            loads.c.sha256 != sha256,
            loads.c.superseded_by.is_(None),
            is_counting(loads),
        )
        .order_by(loads.c.load_id)
    )
    if covered:
        held = load_periods.alias()
        of_period = select(held.c.load_id).where(held.c.period_id.in_(covered))
        # The outer join leaves the period of a load without periods empty.
        query = query.where(or_(loads.c.load_id.in_(of_period), load_periods.c.period_id.is_(None)))
    result: dict[int, _EarlierLoad] = {}
    for load_id, file_name, other, period_id in connection.execute(query):
        load = result.setdefault(load_id, _EarlierLoad(file_name, other))
        if period_id is not None:
            load.periods.add(period_id)
    return result


def _list_unreadable(connection: Connection, source_id: str, sha256: str) -> set[int]:
    """Other loads of the source whose records say no readable period, though they should."""
    from sqlalchemy import select

    from pipelines.books.tables import load_periods, loads

    rows = connection.execute(
        select(loads.c.load_id, loads.c.contract_id).where(
            loads.c.source_id == source_id,
            loads.c.sha256 != sha256,
            loads.c.superseded_by.is_(None),
            loads.c.records_delivered > 0,
            loads.c.load_id.not_in(select(load_periods.c.load_id)),
        )
    )
    return {row.load_id for row in rows if load_contract(row.contract_id).period_field is not None}


def _refuse_again(
    name: str, source_id: str, sha256: str, earlier: _EarlierLoad, both: set[str]
) -> DeliveryRefusedError:
    what = ", ".join(sorted(both)) or "the same data"
    return DeliveryRefusedError(
        Problem(
            name,
            f"delivers {what} again with other content than {earlier}",
            expected=f"new periods, as source '{source_id}' declares redelivery: refuse",
            found=f"sha256 {sha256[:12]}…",
            remedy="Nothing was loaded. Declare redelivery: replace_period if it is to replace.",
        )
    )


def _refuse_part(name: str, earlier: _EarlierLoad, kept: set[str]) -> DeliveryRefusedError:
    return DeliveryRefusedError(
        Problem(
            name,
            f"replaces only a part of {earlier}",
            expected="all periods of the delivery that it replaces",
            found=f"none for {', '.join(sorted(kept))}",
            remedy="Nothing was loaded. Deliver the missing periods in the same file.",
        )
    )
