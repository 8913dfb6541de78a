"""Trace a source onwards: where did this invoice go?

The other direction of `trace`, over the same ways and with the same fractions, so that the part of
a line in a charge is equal from either end. Every end carries a part: charge lines, and what is
recovered, capitalised, out of scope, unmapped, unallocated or idle. The parts sum to the amount of
the source exactly; `rounding` says so, and is 0.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from pipelines.allocation.money_paths import (
    Cell,
    End,
    find_ends,
    find_known_consumers,
    find_receivers,
    find_ways,
)
from pipelines.allocation.source_lookup import FoundSource

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class TracedCharge:
    """One charge line, or another end of money, and the part of the source that is in it."""

    end: End
    service_name: str
    cost_centre_name: str
    business_unit_id: str
    business_unit_name: str
    charge_amount: Decimal
    """The whole line, in cents."""
    share: Fraction | None = None
    """Of the source; empty where it stands in lines that are split differently."""
    part: Fraction = Fraction(0)


@dataclass(frozen=True)
class SourcePath:
    """What went one way to one business unit, or to another end of money."""

    cost_pool_id: str
    tower_id: str
    direct_service_id: str
    """The service at which it arrived."""
    service_id: str
    """The service through which it leaves IT."""
    business_unit_id: str
    business_unit_name: str
    part: Fraction


@dataclass(frozen=True)
class SourceTrace:
    """A source and everything that became of it; parts + rounding = amount."""

    source: FoundSource
    currency_code: str
    charges: tuple[TracedCharge, ...]
    """Largest first."""
    paths: tuple[SourcePath, ...]
    """Largest first; they sum to the amount as well."""
    rounding: Fraction


def trace_source(connection: duckdb.DuckDBPyConnection, source: FoundSource) -> SourceTrace:
    """Follow a source to every charge line that carries a part of it."""
    amounts: dict[Cell, Fraction] = defaultdict(Fraction)
    for line in source.lines:
        amounts[line.cell] += line.amount
    ways = find_ways(connection, source.figures, [line.ledger_line_id for line in source.lines])
    receivers = find_receivers(connection, source.figures)
    known = find_known_consumers(connection, source.figures.period_id)
    charged = _read_charges(connection, source)
    shares: dict[End, Fraction] = defaultdict(Fraction)
    parts: dict[End, Fraction] = defaultdict(Fraction)
    paths: dict[tuple[str, ...], Fraction] = defaultdict(Fraction)
    for way in ways:
        for end, share in find_ends(way, receivers, known).items():
            part = amounts[way.cell] * way.share * share
            shares[end] += way.share * share
            parts[end] += part
            unit = (charged[end].business_unit_id, charged[end].business_unit_name)
            names = (way.cell.cost_pool_id, way.tower_id, way.direct_service_id, way.service_id)
            paths[*names, *unit] += part
    charges = [
        replace(charged[end], share=shares[end] if len(amounts) == 1 else None, part=part)
        for end, part in parts.items()
    ]
    currency = connection.execute("select currency_code from dim_run").fetchone()
    assert currency is not None
    return SourceTrace(
        source=source,
        currency_code=currency[0],
        charges=tuple(sorted(charges, key=lambda charge: (-abs(charge.part), charge.end))),
        paths=tuple(
            _make_path(names, part)
            for names, part in sorted(paths.items(), key=lambda item: (-abs(item[1]), item[0]))
        ),
        rounding=source.amount - sum(parts.values(), Fraction(0)),
    )


def _make_path(names: tuple[str, ...], part: Fraction) -> SourcePath:
    pool, tower, direct, service, unit, unit_name = names
    return SourcePath(pool, tower, direct, service, unit, unit_name, part)


def _read_charges(
    connection: duckdb.DuckDBPyConnection, source: FoundSource
) -> dict[End, TracedCharge]:
    """Every charge line of the figures, with no part of the source yet."""
    rows = connection.execute(
        """
        select service_id, cost_centre_id, disposition, service_name, cost_centre_name,
            business_unit_id, business_unit_name, cost_amount
        from fct_charges_monthly
        where scenario_id = ? and period_id = ? and version = ?
        """,
        list(source.figures),
    ).fetchall()
    return {
        End(*key): TracedCharge(End(*key), service, centre, unit, unit_name, amount)
        for *key, service, centre, unit, unit_name, amount in rows
    }
