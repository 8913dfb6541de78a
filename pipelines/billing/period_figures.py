"""All figures of the statements of a period, read at once: a query per mart, not per unit.

Assumes the read API's connection. What is read is the latest version of the period, and for
comparison the latest of the period before and of the budget.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.billing import cost_queries, member_queries, queries
from pipelines.billing.cost_queries import PoolCost
from pipelines.billing.member_queries import Member
from pipelines.billing.queries import ServiceAmount
from pipelines.billing.records import (
    BillItem,
    BillScope,
    CertificateIdentity,
    Closing,
    Period,
    RunStamp,
    ServiceQuality,
    StatementLine,
)
from pipelines.warehouse.complete_periods import read_incomplete
from pipelines.workspace.materiality import USUAL_MATERIALITY, Materiality

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

    from pipelines.rerun.explain_units import UnitBridge

UnitAmounts = dict[str, dict[str, ServiceAmount]]
NOT_ASKED = "The change was not explained."


@dataclass(frozen=True)
class OtherBills:
    """The bills of another period or scenario, to compare with."""

    name: str
    scope: BillScope
    amounts: UnitAmounts


@dataclass(frozen=True)
class PeriodFigures:
    """What the statements of a period are made of. Dictionaries are by business unit but where
    they say otherwise."""

    scope: BillScope
    period: Period
    run: RunStamp
    issuer_name: str
    units: dict[str, str]
    """Names of the units with a line or an item."""
    divisions: dict[str, str | None]
    lines: dict[str, tuple[StatementLine, ...]]
    items: dict[str, tuple[BillItem, ...]]
    amounts: UnitAmounts
    pools: Mapping[str, Mapping[str, list[PoolCost]]]
    members: dict[str, Member]
    """By cost centre."""
    legal_entities: dict[str, str]
    """Names by id."""
    quality: dict[str, ServiceQuality]
    """By service."""
    certificate: tuple[CertificateIdentity, ...]
    previous: OtherBills | None
    previous_members: dict[str, Member]
    budget: OtherBills | None
    replaced: OtherBills | None
    previous_billed: dict[str, Decimal] = field(default_factory=dict)
    """What was billed in the period before, by cost centre."""
    missing: str = ""
    """What is missing in this period or in the one before; empty where both are complete."""
    materiality: Materiality = USUAL_MATERIALITY
    closing: Closing | None = None
    bridges: dict[str, UnitBridge] = field(default_factory=dict)
    why_no_bridge: str = NOT_ASKED
    """Empty where the bridges were made."""


def load_figures(
    connection: duckdb.DuckDBPyConnection, period_id: str, scenario_id: str = "actual"
) -> PeriodFigures:
    """Read them. Raises UsageError, naming what there is, for a period without bills."""
    period, version = queries.read_period(connection, scenario_id, period_id)
    scope = BillScope(scenario_id, period_id, version)
    previous = _read_previous(connection, period, scenario_id)
    return PeriodFigures(
        scope=scope,
        period=period,
        run=queries.read_run(connection),
        issuer_name=member_queries.read_issuer(connection, period),
        units=queries.read_units(connection, scope),
        divisions=member_queries.read_divisions(connection, scope),
        lines=queries.read_lines(connection, scope),
        items=queries.read_items(connection, scope),
        amounts=queries.read_amounts(connection, scope),
        pools=cost_queries.read_pools(connection, scope),
        members=member_queries.read_members(connection, scope),
        legal_entities=member_queries.read_legal_entity_names(connection),
        quality=cost_queries.read_quality(connection, period_id),
        certificate=cost_queries.read_certificate(connection, scope),
        previous=previous,
        previous_members=member_queries.read_members(connection, previous.scope)
        if previous
        else {},
        budget=None
        if scenario_id == "budget"
        else _read_other(connection, "Budget", "budget", period_id),
        replaced=_read_other(connection, "", scenario_id, period_id, before=version),
        previous_billed=member_queries.read_billed(connection, previous.scope) if previous else {},
        missing=_find_missing(connection, scope, previous) if scenario_id == "actual" else "",
    )


def _find_missing(
    connection: duckdb.DuckDBPyConnection, scope: BillScope, previous: OtherBills | None
) -> str:
    """'Oct 2026: no delivery of service usage', of the period or of the one before it."""
    found = read_incomplete(connection)
    for period_id in (scope.period_id, previous.scope.period_id if previous else ""):
        if period_id in found:
            return f"{queries.read_period_name(connection, period_id)}: {found[period_id]}"
    return ""


def _read_previous(
    connection: duckdb.DuckDBPyConnection, period: Period, scenario_id: str
) -> OtherBills | None:
    before = queries.read_previous_period(connection, period)
    return _read_other(connection, before[1], scenario_id, before[0]) if before else None


def _read_other(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    scenario_id: str,
    period_id: str,
    before: int | None = None,
) -> OtherBills | None:
    """The latest version of other bills. None where there are no such bills at all, which is not
    the same as a period without bills for the unit."""
    version = queries.latest_version(connection, scenario_id, period_id, before)
    if version is None:
        return None
    scope = BillScope(scenario_id, period_id, version)
    return OtherBills(name, scope, queries.read_amounts(connection, scope))
