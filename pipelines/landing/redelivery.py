"""What a delivery does to earlier ones of its source, as the source declares.

`refuse` keeps a period that was delivered, `replace_period` lets the new one count instead (the
older copy stays in the lake, and the books name what superseded it), `append` lets both count,
`update_records` too, but of the records with one key only that of the latest load
(`warehouse/latest_records`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines.errors import DeliveryRefusedError, Problem
from pipelines.landing.delivery import Delivery

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
    connection: Connection, delivery: Delivery, sha256: str, periods: list[str]
) -> list[int]:
    """Loads that a delivery of `periods` supersedes; no periods means all data of the source.

    Is to be called in the transaction that records the delivery, so that two deliveries of one
    period cannot overlook each other. Raises DeliveryRefusedError where the source declares so.
    """
    earlier = _list_active_loads(connection, delivery.source_id)
    covered = set(periods)
    overlapping = {
        key: load
        for key, load in earlier.items()
        if not load.periods or not covered or load.periods & covered
    }
    if not overlapping or delivery.source.redelivery in ADDING_MODES:
        return []
    first = next(iter(overlapping.values()))
    if delivery.source.redelivery == "refuse":
        raise _refuse_again(delivery, sha256, first, first.periods & covered)
    for load in overlapping.values():
        if not load.periods <= covered:
            raise _refuse_part(delivery, load, load.periods - covered)
    return list(overlapping)


def _list_active_loads(connection: Connection, source_id: str) -> dict[int, _EarlierLoad]:
    from sqlalchemy import select

    from pipelines.books.tables import load_periods, loads

    rows = connection.execute(
        select(loads.c.load_id, loads.c.file_name, loads.c.sha256, load_periods.c.period_id)
        .outerjoin(load_periods)
        .where(loads.c.source_id == source_id, loads.c.superseded_by.is_(None))
        .order_by(loads.c.load_id)
    )
    result: dict[int, _EarlierLoad] = {}
    for load_id, file_name, sha256, period_id in rows:
        load = result.setdefault(load_id, _EarlierLoad(file_name, sha256))
        if period_id is not None:
            load.periods.add(period_id)
    return result


def _refuse_again(
    delivery: Delivery, sha256: str, earlier: _EarlierLoad, both: set[str]
) -> DeliveryRefusedError:
    what = ", ".join(sorted(both)) or "the same data"
    return DeliveryRefusedError(
        Problem(
            delivery.name,
            f"delivers {what} again with other content than {earlier}",
            expected=f"new periods, as source '{delivery.source_id}' declares redelivery: refuse",
            found=f"sha256 {sha256[:12]}…",
            remedy="Nothing was loaded. Declare redelivery: replace_period if it is to replace.",
        )
    )


def _refuse_part(delivery: Delivery, earlier: _EarlierLoad, kept: set[str]) -> DeliveryRefusedError:
    return DeliveryRefusedError(
        Problem(
            delivery.name,
            f"replaces only a part of {earlier}",
            expected="all periods of the delivery that it replaces",
            found=f"none for {', '.join(sorted(kept))}",
            remedy="Nothing was loaded. Deliver the missing periods in the same file.",
        )
    )
