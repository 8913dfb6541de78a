"""How much of the cloud bills has a service and a consumer, and what the rest has in common.

Reads the published marts. Money is in the reporting currency and sums to the bill's cost lines;
the keys of unmapped lines overlap, because a line has an account and tags and a resource.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.errors import UsageError

if TYPE_CHECKING:
    import duckdb

METHOD_NAMES = {
    "rule": "by a rule",
    "tag": "by a tag, through a rule",
    "feed": "by the detail feed",
    "driver": "by the driver of its service",
    "unknown": "named, but not known",
    "unmapped": "not mapped",
}
"""How lines are mapped, in the order in which the ways are shown."""

NAMING_METHODS = frozenset({"rule", "tag", "feed", "unknown"})


@dataclass(frozen=True)
class CoveragePart:
    """The lines of one bill that were mapped in one way."""

    source_id: str
    target_kind: str
    mapping_method: str
    is_mapped: bool
    amount: Decimal
    source_amount: Decimal
    line_count: int

    @property
    def percent(self) -> Decimal | None:
        """Of the money of the bill; None where the bill is nothing or less."""
        if self.source_amount <= 0:
            return None
        return self.amount / self.source_amount * 100


@dataclass(frozen=True)
class UnmappedKey:
    """What unmapped lines have in common: an account, a resource, a tag with its value."""

    source_id: str
    target_kind: str
    key_kind: str
    key_name: str
    key_value: str
    amount: Decimal
    line_count: int


@dataclass(frozen=True)
class Drift:
    """Two spellings that look like one; `found_text` may be read as `proposed_text`."""

    drift_kind: str
    tag_key: str
    found_text: str
    proposed_text: str
    amount: Decimal
    line_count: int


@dataclass(frozen=True)
class Coverage:
    """What `apportion coverage` shows of one period."""

    period_id: str
    currency_code: str
    parts: tuple[CoveragePart, ...]
    keys: tuple[UnmappedKey, ...]
    drift: tuple[Drift, ...]


def read_coverage(connection: duckdb.DuckDBPyConnection, period_id: str | None = None) -> Coverage:
    """Actual figures of a period, the latest one with a bill by default.

    Raises UsageError where the period has no bill, naming those that have.
    """
    periods = [
        str(row[0])
        for row in connection.execute(
            "select distinct period_id from rpt_tag_coverage where scenario_id = 'actual' "
            "order by period_id"
        ).fetchall()
    ]
    if not periods:
        raise UsageError(
            "no cloud bill is published: deliver one to a source with a detail_feed in "
            "apportion.yml, then run 'apportion run'"
        )
    chosen = period_id or periods[-1]
    if chosen not in periods:
        raise UsageError(
            f"there is no cloud bill of {chosen}; there are bills of {periods[0]} to {periods[-1]}"
        )
    currency = connection.execute("select currency_code from dim_run").fetchone()
    assert currency is not None
    parts = _read_parts(connection, chosen)
    return Coverage(
        chosen,
        currency[0],
        parts,
        _read_keys(connection, chosen, _list_named_targets(parts)),
        _read_drift(connection, chosen),
    )


def _list_named_targets(parts: tuple[CoveragePart, ...]) -> set[tuple[str, str]]:
    """(source, target) of which keys matter: services always; consumers where lines name any, and
    not where every line is left to the driver of its service."""
    return {
        (part.source_id, part.target_kind)
        for part in parts
        if part.target_kind == "service" or part.mapping_method in NAMING_METHODS
    }


def _read_parts(connection: duckdb.DuckDBPyConnection, period_id: str) -> tuple[CoveragePart, ...]:
    rows = connection.execute(
        """
        select source_id, target_kind, mapping_method, is_mapped, amount, source_amount, line_count
        from rpt_tag_coverage
        where scenario_id = 'actual' and period_id = $period
        qualify version = max(version) over ()
        """,
        {"period": period_id},
    ).fetchall()
    order = list(METHOD_NAMES)
    parts = [CoveragePart(*row) for row in rows]
    return tuple(
        sorted(
            parts,
            key=lambda part: (
                part.source_id,
                part.target_kind != "service",
                order.index(part.mapping_method),
            ),
        )
    )


def _read_keys(
    connection: duckdb.DuckDBPyConnection, period_id: str, targets: set[tuple[str, str]]
) -> tuple[UnmappedKey, ...]:
    rows = connection.execute(
        """
        select source_id, target_kind, key_kind, key_name, key_value, amount, line_count
        from rpt_unmapped_keys
        where scenario_id = 'actual' and period_id = $period
        qualify version = max(version) over ()
        order by target_kind desc, abs(amount) desc, line_count desc, key_kind, key_name, key_value
        """,
        {"period": period_id},
    ).fetchall()
    keys = (UnmappedKey(*row) for row in rows)
    return tuple(key for key in keys if (key.source_id, key.target_kind) in targets)


def _read_drift(connection: duckdb.DuckDBPyConnection, period_id: str) -> tuple[Drift, ...]:
    rows = connection.execute(
        """
        select drift_kind, tag_key, found_text, proposed_text, amount, line_count
        from rpt_tag_drift
        where scenario_id = 'actual' and period_id = $period
        qualify version = max(version) over ()
        order by abs(amount) desc, tag_key, found_text
        """,
        {"period": period_id},
    ).fetchall()
    return tuple(Drift(*row) for row in rows)
