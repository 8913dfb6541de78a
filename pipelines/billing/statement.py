"""Put together the statement of one business unit and period from the published marts.

Assumes the read API's connection. Guarantees that the statement adds up before anyone sees it:
the lines sum to the total, the total is what fct_charges_monthly charges the unit, and the cost
pools explain it to the cent. A statement that does not is refused, not printed.

Comparisons are with what was billed: the period before is the unit as it was then, so a cost
centre that moved is not restated but named in a note.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from pipelines.billing import queries
from pipelines.billing.formats import is_same_rate
from pipelines.billing.queries import is_unit
from pipelines.billing.records import (
    BillKey,
    CertificateIdentity,
    CertificateTerm,
    Comparison,
    LegalEntityAmount,
    Period,
    PoolAmount,
    Reassignment,
    Recipient,
    ReplacedVersion,
    RunStamp,
    ServiceQuality,
    ServiceSummary,
    Statement,
    StatementLine,
    sum_amounts,
)
from pipelines.errors import ControlError, UsageError

if TYPE_CHECKING:
    import duckdb

__all__ = [
    "CertificateIdentity",
    "CertificateTerm",
    "Comparison",
    "LegalEntityAmount",
    "Period",
    "PoolAmount",
    "Reassignment",
    "Recipient",
    "ReplacedVersion",
    "RunStamp",
    "ServiceQuality",
    "ServiceSummary",
    "Statement",
    "StatementLine",
    "load_statement",
]

CENT = Decimal("0.01")
MAX_SERVICES_WITH_LEVELS = 8

Charges = dict[str, tuple[str, Decimal]]


class UntiedStatementError(ControlError):
    """Two marts disagree about the unit's charges."""

    def __init__(self, number: str, what: str, expected: Decimal, got: Decimal) -> None:
        super().__init__(
            f"statement {number}: {what}: expected {expected:,.2f}, got {got:,.2f}, "
            f"{got - expected:+,.2f} apart. Nothing was written; build again and run "
            "'apportion doctor'."
        )


def load_statement(
    connection: duckdb.DuckDBPyConnection,
    period_id: str,
    business_unit_id: str,
    scenario_id: str = "actual",
) -> Statement:
    """The latest version of the unit's statement.

    Raises UsageError, naming what there is, for a period or unit without bills, and
    UntiedStatementError (exit code 4) where the published figures contradict each other.
    """
    period, version = queries.read_period(connection, scenario_id, period_id)
    units = queries.read_billed_units(connection, scenario_id, period_id, version)
    if business_unit_id not in units:
        raise _unknown_unit(period_id, business_unit_id, units)
    key = BillKey(scenario_id, period_id, version, business_unit_id)
    number = statement_number(key)
    lines = queries.read_lines(connection, key)
    total = sum_amounts([line.charged_amount for line in lines])
    showback = [line for line in lines if line.is_showback]
    _check_against_charges(connection, key, number, total)
    previous, previous_charges = _compare_previous(connection, period, key)
    budget, budget_charges = _compare_budget(connection, key)
    services = _summarise_charged(lines, previous_charges, budget_charges)
    showback_services = _summarise_showback(showback)
    pools, rounding = _break_down(connection, key, number, lines, total)
    shown = [service.service_id for service in (*services, *showback_services)]
    replaced = queries.read_replaced_total(connection, key)
    return Statement(
        number=number,
        scenario_id=scenario_id,
        version=version,
        run=queries.read_run(connection),
        period=period,
        issuer_name=queries.read_issuer(connection, period),
        recipient=Recipient(
            business_unit_id,
            units[business_unit_id] or business_unit_id,
            queries.read_division(connection, key),
        ),
        lines=lines,
        total=total,
        showback_total=sum_amounts([line.cost_amount for line in showback]),
        previous=previous,
        budget=budget,
        services=services,
        showback_services=showback_services,
        legal_entities=_split_by_legal_entity(connection, lines),
        pools=pools,
        pool_rounding=rounding,
        quality=queries.read_quality(connection, period_id, shown)[:MAX_SERVICES_WITH_LEVELS],
        certificate=queries.read_certificate(connection, scenario_id, period_id, version),
        replaced=ReplacedVersion(*replaced) if replaced else None,
        reassignments=_find_reassignments(connection, period, key),
    )


def statement_number(key: BillKey) -> str:
    """The same for the same figures: period, unit, version, and the scenario unless actual."""
    prefix = "" if key.scenario_id == "actual" else f"{key.scenario_id.upper()}-"
    return f"{prefix}{key.period_id}-{key.business_unit_id}-v{key.version}"


def _unknown_unit(period_id: str, business_unit_id: str, units: dict[str, str]) -> UsageError:
    known = queries.list_some([f"{unit} ({name})" for unit, name in units.items()])
    return UsageError(
        f"business unit {business_unit_id}: nothing is billed to it in {period_id}. "
        f"Business units with bills: {known or 'none'}."
    )


def _check_against_charges(
    connection: duckdb.DuckDBPyConnection,
    key: BillKey,
    number: str,
    total: Decimal,
) -> None:
    charges = queries.read_charges_by_service(connection, key)
    expected = _sum_charges(charges)
    if total != expected:
        what = "the bill lines against the charges of the unit"
        raise UntiedStatementError(number, what, expected, total)


def _sum_charges(charges: Charges) -> Decimal:
    return sum_amounts([amount for _, amount in charges.values()])


def _compare_previous(
    connection: duckdb.DuckDBPyConnection, period: Period, key: BillKey
) -> tuple[Comparison | None, Charges | None]:
    before = queries.read_previous_period(connection, period)
    if before is None:
        return None, None
    return _compare(connection, key._replace(period_id=before[0]), before[1])


def _compare_budget(
    connection: duckdb.DuckDBPyConnection, key: BillKey
) -> tuple[Comparison | None, Charges | None]:
    if key.scenario_id == "budget":
        return None, None
    return _compare(connection, key._replace(scenario_id="budget"), "Budget")


def _compare(
    connection: duckdb.DuckDBPyConnection, other: BillKey, name: str
) -> tuple[Comparison | None, Charges | None]:
    """The latest version of the other charges. None where there is no such period at all, which
    is not the same as a period without charges for the unit."""
    version = queries.latest_version(connection, other.scenario_id, other.period_id)
    if version is None:
        return None, None
    charges = queries.read_charges_by_service(connection, other._replace(version=version))
    return Comparison(name, _sum_charges(charges)), charges


def _summarise_charged(
    lines: Sequence[StatementLine], previous: Charges | None, budget: Charges | None
) -> tuple[ServiceSummary, ...]:
    """The charged services, and those that only the period before or the budget charged."""
    names: dict[str, str] = {}
    for charges in (budget, previous):
        for service_id, (name, amount) in (charges or {}).items():
            if amount:
                names[service_id] = name
    by_service: dict[str, list[StatementLine]] = {}
    for line in lines:
        if not line.is_showback:
            by_service.setdefault(line.service_id, []).append(line)
            names[line.service_id] = line.service_name
    summaries = [
        _summarise(
            service_id,
            name,
            by_service.get(service_id, []),
            amount=sum_amounts([line.charged_amount for line in by_service.get(service_id, [])]),
            previous_amount=_amount_of(previous, service_id),
            budget_amount=_amount_of(budget, service_id),
        )
        for service_id, name in names.items()
    ]
    return tuple(sorted(summaries, key=_largest_first))


def _summarise_showback(lines: Sequence[StatementLine]) -> tuple[ServiceSummary, ...]:
    by_service: dict[str, list[StatementLine]] = {}
    for line in lines:
        by_service.setdefault(line.service_id, []).append(line)
    summaries = [
        _summarise(
            service_id,
            found[0].service_name,
            found,
            amount=sum_amounts([line.cost_amount for line in found]),
            previous_amount=None,
            budget_amount=None,
        )
        for service_id, found in by_service.items()
    ]
    return tuple(sorted(summaries, key=_largest_first))


def _summarise(
    service_id: str,
    name: str,
    lines: Sequence[StatementLine],
    *,
    amount: Decimal,
    previous_amount: Decimal | None,
    budget_amount: Decimal | None,
) -> ServiceSummary:
    units = {line.unit_name for line in lines}
    rates = _find_rates(lines)
    quantities = [line.quantity for line in lines if line.quantity is not None]
    has_quantity = len(units) == 1 and bool(quantities)
    return ServiceSummary(
        service_id=service_id,
        service_name=name,
        quantity=sum(quantities, Decimal(0)) if has_quantity else None,
        unit_name=next(iter(units)) if len(units) == 1 else None,
        unit_rate=rates[0] if len(rates) == 1 else None,
        has_various_rates=len(rates) > 1,
        amount=amount,
        previous_amount=previous_amount,
        budget_amount=budget_amount,
    )


def _find_rates(lines: Sequence[StatementLine]) -> list[Decimal]:
    """The rates that read differently. A line's rate is its amount by its quantity at the
    engine's precision, so one rate differs between lines in digits that nobody sees."""
    found: list[Decimal] = []
    for line in sorted(lines, key=lambda line: -abs(line.quantity or Decimal(0))):
        rate = line.unit_rate
        if rate is not None and not any(is_same_rate(known, rate) for known in found):
            found.append(rate)
    return found


def _amount_of(charges: Charges | None, service_id: str) -> Decimal | None:
    """Zero where there is something to compare with but not for this service."""
    return None if charges is None else charges.get(service_id, ("", Decimal("0.00")))[1]


def _largest_first(service: ServiceSummary) -> tuple[Decimal, str, str]:
    return -service.amount, service.service_name, service.service_id


def _break_down(
    connection: duckdb.DuckDBPyConnection,
    key: BillKey,
    number: str,
    lines: Sequence[StatementLine],
    total: Decimal,
) -> tuple[tuple[PoolAmount, ...], Decimal]:
    """The pools in cents, and what rounding them leaves to the total.

    Cents are made at the charge line, so a line is less than a cent from its exact parts, and each
    pool at most half a cent from its own. More than that is a contradiction between the marts.
    """
    charged = [line for line in lines if not line.is_showback]
    service_ids = sorted({line.service_id for line in charged})
    pools = tuple(
        PoolAmount(pool_id, name, exact, exact.quantize(CENT, ROUND_HALF_UP))
        for pool_id, name, exact in queries.read_pools(connection, key, service_ids)
    )
    if not pools:
        return (), Decimal("0.00")
    explained = sum_amounts([pool.amount for pool in pools])
    rounding = total - explained
    # Pools explain the cost; what a price recovers above it is in the rest.
    cost = sum_amounts([line.cost_amount for line in charged])
    if abs(cost - explained) > CENT * (len(charged) + len(pools)):
        what = "the cost pools against the cost of what is charged"
        raise UntiedStatementError(number, what, cost, explained)
    return pools, rounding


def _split_by_legal_entity(
    connection: duckdb.DuckDBPyConnection, lines: Sequence[StatementLine]
) -> tuple[LegalEntityAmount, ...]:
    names = queries.read_legal_entity_names(connection)
    amounts: dict[str, Decimal] = {}
    for line in lines:
        entity = line.legal_entity_id or ""
        amounts[entity] = amounts.get(entity, Decimal("0.00")) + line.charged_amount
    return tuple(
        LegalEntityAmount(entity, names.get(entity) or entity or "no legal entity", amount)
        for entity, amount in sorted(amounts.items())
    )


def _find_reassignments(
    connection: duckdb.DuckDBPyConnection,
    period: Period,
    key: BillKey,
) -> tuple[Reassignment, ...]:
    """Cost centres that came, went, or have moved away since."""
    scenario_id, period_id, version, unit = key
    members = queries.read_membership(connection, key)
    found = [
        _to_reassignment("moved_later", row, row["as_is_name"])
        for row in members
        if row["as_is_id"] is not None and row["as_is_id"] != unit and is_unit(row["as_is_id"])
    ]
    before = queries.read_previous_period(connection, period)
    earlier = queries.latest_version(connection, scenario_id, before[0]) if before else None
    if before is None or earlier is None:
        return tuple(found)
    ids = [row["cost_centre_id"] for row in members]
    then = queries.read_units_of_cost_centres(connection, scenario_id, before[0], earlier, ids)
    found += [
        _to_reassignment("joined", row, then[row["cost_centre_id"]][1])
        for row in members
        if row["cost_centre_id"] in then and then[row["cost_centre_id"]][0] != unit
    ]
    gone = queries.read_membership(connection, key._replace(period_id=before[0], version=earlier))
    gone = [row for row in gone if row["cost_centre_id"] not in ids]
    ids = [row["cost_centre_id"] for row in gone]
    now = queries.read_units_of_cost_centres(connection, scenario_id, period_id, version, ids)
    found += [
        _to_reassignment("left", row, now[row["cost_centre_id"]][1])
        for row in gone
        if row["cost_centre_id"] in now
    ]
    return tuple(found)


def _to_reassignment(kind: str, row: queries.Row, other_unit_name: str) -> Reassignment:
    return Reassignment(
        kind=kind,
        cost_centre_id=row["cost_centre_id"],
        cost_centre_name=row["cost_centre_name"] or row["cost_centre_id"],
        other_unit_name=other_unit_name,
        amount=queries.to_money(row["amount"], "fct_charges_monthly.charged_amount"),
    )
