"""Write the log of loads: which delivery landed when, by whom, with how many records and how much
money per period, under which mapping, and what it took the place of.

A load is one content of one source. Read again under a corrected mapping it stays the same load
with a new `reading`: its files lie in a directory of their own, the earlier ones stay, and the
audit log keeps what the earlier reading counted.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pipelines.books.audit import append_audit
from pipelines.books.books import current_time
from pipelines.books.person import current_person
from pipelines.landing.delivery import Delivery
from pipelines.landing.holds import Hold
from pipelines.landing.record_counts import RecordCounts, show_amount
from pipelines.landing.redelivery import PeriodSize, Replacement, Sizes, add_size
from pipelines.readers.safe_bytes import BytesSeen

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True)
class LandedDelivery:
    """A delivery that was read, checked and written, and may be recorded."""

    delivery: Delivery
    seen: BytesSeen
    counts: RecordCounts
    periods: list[str]
    notes: tuple[str, ...]
    are_amounts_whole: bool = False
    """Whether none of its amounts is written with decimals."""

    @property
    def sizes(self) -> Sizes:
        """How much it holds of each of its periods."""
        sizes: Sizes = {period: PeriodSize() for period in self.periods}
        for item in self.counts.by_period:
            size = sizes.get(item.period_id, PeriodSize())
            sizes[item.period_id] = add_size(
                size, item.currency_code, item.records, item.gross_local
            )
        # What waits for a decision may be most of a period.
        return sizes | {period: PeriodSize() for period in self.counts.periods_of_quarantined}

    def without_periods(self, periods: frozenset[str]) -> LandedDelivery:
        """The delivery without periods that do not count."""
        own = tuple(item for item in self.counts.by_period if item.period_id not in periods)
        return replace(
            self,
            counts=replace(self.counts, by_period=own),
            periods=[period for period in self.periods if period not in periods],
        )

    @property
    def has_unknown_period(self) -> bool:
        """Whether its records should say their periods, and none of them does so readably."""
        is_dated = self.delivery.contract.period_field is not None
        return is_dated and not self.periods and self.counts.delivered > 0


@dataclass(frozen=True)
class KnownLoad:
    """A load of the same content."""

    load_id: int
    file_name: str
    sha256: str
    superseded_by: int | None
    mapping_hash: str | None
    reading: int
    hold_kind: str | None
    hold_decision: str | None

    def is_read_otherwise(self, delivery: Delivery) -> bool:
        """Whether the delivery would be read by another mapping or contract now."""
        return self.mapping_hash is not None and self.mapping_hash != hash_mapping(delivery)

    @property
    def is_on_hold(self) -> bool:
        """Whether it waits for a person and counts for nothing yet."""
        waits = self.hold_kind is not None and self.hold_decision is None
        return waits and self.superseded_by is None

    @property
    def next_directory(self) -> str:
        return name_directory(self.sha256, self.reading + 1)


def name_directory(sha256: str, reading: int) -> str:
    """Where a reading of a load lies below its source's directory of the lake."""
    return sha256 if reading == 1 else f"{sha256}.{reading}"


def hash_mapping(delivery: Delivery) -> str:
    """SHA-256 of all that decides how the bytes of a delivery become records."""
    parts = [
        delivery.mapping.model_dump_json(),
        delivery.contract.model_dump_json(),
        json.dumps(delivery.unique_key),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def find_known(connection: Connection, source_id: str, sha256: str) -> KnownLoad | None:
    """The load of that content, if there is one."""
    from sqlalchemy import select

    from pipelines.books.tables import loads

    columns = [loads.c[name] for name in KnownLoad.__dataclass_fields__]
    row = connection.execute(
        select(*columns).where(loads.c.source_id == source_id, loads.c.sha256 == sha256)
    ).first()
    return KnownLoad(*row) if row is not None else None


def record_load(
    connection: Connection, landed: LandedDelivery, replaced: Replacement, hold: Hold | None
) -> None:
    """Write the load, its periods, what it supersedes, and its line in the audit log. A load that
    is held supersedes nothing yet."""
    from pipelines.books.tables import loads

    delivery, sha256 = landed.delivery, landed.seen.sha256
    key = connection.execute(
        loads.insert().values(
            source_id=delivery.source_id,
            contract_id=delivery.contract.contract_id,
            scenario_id=delivery.source.scenario,
            file_name=delivery.name,
            sha256=sha256,
            bytes=landed.seen.size,
            hold_kind=hold.kind if hold else None,
            hold_reason=hold.reason if hold else None,
            **_describe_reading(landed, 1),
        )
    ).inserted_primary_key
    assert key is not None
    _record_periods(connection, key[0], landed)
    if hold is None:
        supersede(connection, key[0], replaced)
    details: dict[str, Any] = {**_describe_audit(landed), **describe_replaced(replaced)}
    if hold is not None:
        details = {
            **_describe_audit(landed),
            "held": hold.kind,
            "why": hold.reason,
            "supersedes": [],
        }
    append_audit(connection, "land", f"{delivery.source_id}/{delivery.name}", details)


def record_reading(
    connection: Connection, landed: LandedDelivery, known: KnownLoad, hold: Hold | None = None
) -> None:
    """Let a new reading of a known load count instead of the one before. One that was on hold is
    held for `hold` from now on, or no more."""
    from sqlalchemy import delete

    from pipelines.books.tables import load_amounts, load_periods, loads

    row = connection.execute(loads.select().where(loads.c.load_id == known.load_id)).one()
    reading = known.reading + 1
    connection.execute(
        loads.update()
        .where(loads.c.load_id == known.load_id)
        .values(**_describe_reading(landed, reading))
    )
    replaced = connection.execute(
        load_periods.select().where(
            load_periods.c.load_id == known.load_id, load_periods.c.superseded_by.is_not(None)
        )
    ).all()
    if known.is_on_hold:
        kind, reason = (hold.kind, hold.reason) if hold else (None, None)
        connection.execute(
            loads.update()
            .where(loads.c.load_id == known.load_id)
            .values(hold_kind=kind, hold_reason=reason)
        )
    for table in (load_periods, load_amounts):
        connection.execute(delete(table).where(table.c.load_id == known.load_id))
    _record_periods(connection, known.load_id, landed)
    for item in replaced:
        _replace_period(connection, known.load_id, item.period_id, item.superseded_by)
    details = {
        **_describe_audit(landed),
        "reading": reading,
        "before": {
            "mapping": row.mapping_id,
            "delivered": row.records_delivered,
            "quarantined": row.records_quarantined,
            "amounts": json.loads(row.amounts),
        },
    }
    delivery = landed.delivery
    append_audit(connection, "reread", f"{delivery.source_id}/{delivery.name}", details)


def supersede(connection: Connection, load_id: int, replaced: Replacement) -> None:
    """Let a load count instead of others, or of periods of them, and not in periods that others
    hold."""
    from pipelines.books.tables import loads

    if replaced.loads:
        connection.execute(
            loads.update().where(loads.c.load_id.in_(replaced.loads)).values(superseded_by=load_id)
        )
    for other, period in replaced.parts:
        _replace_period(connection, other, period, load_id)
    for period, other in replaced.kept:
        _replace_period(connection, load_id, period, other)


def add_notes(connection: Connection, load_id: int, notes: tuple[str, ...]) -> None:
    """Say more of a load than was known when it was read."""
    from sqlalchemy import select

    from pipelines.books.tables import loads

    if not notes:
        return
    known = connection.execute(select(loads.c.notes).where(loads.c.load_id == load_id)).scalar_one()
    together = json.dumps([*json.loads(known or "[]"), *notes])
    connection.execute(loads.update().where(loads.c.load_id == load_id).values(notes=together))


def _replace_period(connection: Connection, load_id: int, period_id: str, by: int) -> None:
    from pipelines.books.tables import load_periods

    connection.execute(
        load_periods.update()
        .where(load_periods.c.load_id == load_id, load_periods.c.period_id == period_id)
        .values(superseded_by=by)
    )


def describe_replaced(replaced: Replacement) -> dict[str, Any]:
    """What the audit log says of it; periods only where there are some."""
    details: dict[str, Any] = {"supersedes": list(replaced.loads)}
    if replaced.parts:
        details["supersedes_periods"] = [list(part) for part in replaced.parts]
    if replaced.kept:
        details["periods_held_by"] = dict(replaced.kept)
    return details


def _describe_reading(landed: LandedDelivery, reading: int) -> dict[str, Any]:
    counts = landed.counts
    return {
        "mapping_id": landed.delivery.mapping.mapping_id,
        "mapping_hash": hash_mapping(landed.delivery),
        "reading": reading,
        "records_delivered": counts.delivered,
        "records_accepted": counts.accepted,
        "records_quarantined": counts.quarantined,
        "amounts": json.dumps(counts.amounts_as_text()),
        "notes": json.dumps(landed.notes),
        "is_original_kept": landed.delivery.keeps_original,
        "are_amounts_whole": landed.are_amounts_whole,
        "landed_at": current_time(),
        "landed_by": current_person(),
    }


def _describe_audit(landed: LandedDelivery) -> dict[str, Any]:
    return {
        "sha256": landed.seen.sha256,
        "delivered": landed.counts.delivered,
        "quarantined": landed.counts.quarantined,
    }


def _record_periods(connection: Connection, load_id: int, landed: LandedDelivery) -> None:
    from pipelines.books.tables import load_amounts, load_periods

    periods = [{"load_id": load_id, "period_id": period} for period in landed.periods]
    if periods:
        connection.execute(load_periods.insert(), periods)
    amounts = [
        {
            "load_id": load_id,
            "period_id": item.period_id,
            "currency_code": item.currency_code,
            "records_accepted": item.records,
            "amount_local": show_amount(item.amount_local),
            "gross_local": show_amount(item.gross_local),
        }
        for item in landed.counts.by_period
    ]
    if amounts:
        connection.execute(load_amounts.insert(), amounts)


def read_replaced_periods(connection: Connection) -> dict[int, tuple[str, ...]]:
    """By load the periods in which another load counts instead, in order."""
    from sqlalchemy import select

    from pipelines.books.tables import load_periods

    query = select(load_periods.c.load_id, load_periods.c.period_id).where(
        load_periods.c.superseded_by.is_not(None)
    )
    found: dict[int, list[str]] = {}
    for load_id, period_id in connection.execute(query.order_by(load_periods.c.period_id)):
        found.setdefault(load_id, []).append(period_id)
    return {load_id: tuple(periods) for load_id, periods in found.items()}


def read_periods(connection: Connection, load_id: int) -> list[str]:
    """The periods of a load, in order."""
    from sqlalchemy import select

    from pipelines.books.tables import load_periods

    query = select(load_periods.c.period_id).where(load_periods.c.load_id == load_id)
    return list(connection.execute(query.order_by(load_periods.c.period_id)).scalars())
