"""Put together the statement of one business unit from the figures of a period.

Guarantees that the statement adds up before anyone sees it: it is made of the unit's rows in
fct_bill_items_monthly, whose charges are those of the bill lines, service by service, and the cost
pools explain the cost of the charges to the cent. A statement that does not is refused, not
printed.

Comparisons are with what was billed: the period before is the unit as it was then, so a cost
centre that moved is not restated but named in a note.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.billing import queries
from pipelines.billing.bridge import make_bridge
from pipelines.billing.cost_breakdown import break_down
from pipelines.billing.errors import UntiedStatementError
from pipelines.billing.formats import is_same_rate
from pipelines.billing.member_queries import Member
from pipelines.billing.period_figures import OtherBills, PeriodFigures, load_figures
from pipelines.billing.queries import ServiceAmount, is_unit, statement_number
from pipelines.billing.records import (
    CHARGE,
    ITEM_KINDS,
    ZERO,
    BillItem,
    BillScope,
    CertificateIdentity,
    Comparison,
    Confidence,
    KindAmount,
    LegalEntityAmount,
    Reassignment,
    Recipient,
    ReplacedVersion,
    ServiceSummary,
    Statement,
    StatementLine,
    sum_amounts,
)
from pipelines.errors import UsageError

if TYPE_CHECKING:
    import duckdb

MAX_SERVICES_WITH_LEVELS = 8
ID_DIGITS = 10

Amounts = Mapping[str, ServiceAmount]


def load_statement(
    connection: duckdb.DuckDBPyConnection,
    period_id: str,
    business_unit_id: str,
    scenario_id: str = "actual",
) -> Statement:
    """The latest version of one unit's statement, without a bridge: that takes a rerun.

    Raises UsageError, naming what there is, for a period or unit without bills, and
    UntiedStatementError (exit code 4) where the published figures contradict each other.
    """
    return make_statement(load_figures(connection, period_id, scenario_id), business_unit_id)


def make_statement(figures: PeriodFigures, business_unit_id: str) -> Statement:
    """The statement of one unit. Raises as `load_statement` does."""
    unit, scope = business_unit_id, figures.scope
    if unit not in figures.units:
        raise _unknown_unit(scope.period_id, unit, figures.units)
    number = statement_number(scope, unit)
    lines, items = figures.lines.get(unit, ()), figures.items.get(unit, ())
    charged = [line for line in lines if not line.is_showback]
    showback = [line for line in lines if line.is_showback]
    amounts = figures.amounts.get(unit, {})
    kinds = _sum_kinds(charged, items)
    total = sum_amounts(kind.amount for kind in kinds)
    _check_against_items(number, lines, total, amounts)
    previous, budget = (_compare(other, unit) for other in (figures.previous, figures.budget))
    services = _summarise_charged(
        lines, _amounts_of(figures.previous, unit), _amounts_of(figures.budget, unit)
    )
    showback_services = _summarise_showback(showback)
    pools, service_costs = break_down(number, charged, figures.pools.get(unit, {}))
    shown = [service.service_id for service in (*services, *showback_services)]
    bridge, why_no_bridge = make_bridge(figures, unit, total, previous)
    reassignments = _find_reassignments(figures, unit)
    return Statement(
        number=number,
        scenario_id=scope.scenario_id,
        version=scope.version,
        run=figures.run,
        period=figures.period,
        closing=figures.closing,
        issuer_name=figures.issuer_name,
        recipient=Recipient(unit, figures.units[unit], figures.divisions.get(unit)),
        lines=lines,
        items=items,
        kinds=kinds,
        charged=sum_amounts(line.charged_amount for line in charged),
        total=total,
        showback_total=sum_amounts(line.cost_amount for line in showback),
        previous=previous,
        budget=budget,
        bridge=bridge,
        why_no_bridge=why_no_bridge,
        services=services,
        showback_services=showback_services,
        legal_entities=_split_by_legal_entity(figures.legal_entities, charged, items),
        pools=pools,
        service_costs=service_costs,
        confidence=sum((line.confidence for line in charged), Confidence()),
        quality=tuple(figures.quality[item] for item in shown if item in figures.quality)[
            :MAX_SERVICES_WITH_LEVELS
        ],
        certificate=figures.certificate,
        certificate_id=make_certificate_id(scope, figures.certificate),
        replaced=_find_replaced(figures.replaced, unit),
        reassignments=reassignments,
        comparable=_find_comparable(figures, previous, reassignments),
        missing=figures.missing,
        materiality=figures.materiality,
    )


def make_certificate_id(scope: BillScope, certificate: Sequence[CertificateIdentity]) -> str:
    """Period, version and a hash of the terms: another figure is another certificate. Empty where
    there is none."""
    if not certificate:
        return ""
    terms = [
        f"{identity.identity_id}|{term.term_id}|{term.side}|{term.amount.normalize():f}"
        for identity in certificate
        for term in identity.terms
    ]
    digest = hashlib.sha256("\n".join(sorted(terms)).encode()).hexdigest()
    return f"{scope.period_id}-v{scope.version}-{digest[:ID_DIGITS]}"


def _unknown_unit(period_id: str, business_unit_id: str, units: dict[str, str]) -> UsageError:
    known = queries.list_some([f"{unit} ({name})" for unit, name in units.items()])
    return UsageError(
        f"business unit {business_unit_id}: nothing is billed to it in {period_id}. "
        f"Business units with bills: {known or 'none'}."
    )


def _sum_kinds(
    charged: Sequence[StatementLine], items: Sequence[BillItem]
) -> tuple[KindAmount, ...]:
    """What the total is made of. Charges are always told, also where there are none."""
    found = {CHARGE: [line.charged_amount for line in charged]}
    for item in items:
        found.setdefault(item.kind, []).append(item.amount)
    order = [kind for kind in ITEM_KINDS if kind in found]
    order += sorted(kind for kind in found if kind not in ITEM_KINDS)
    return tuple(
        KindAmount(kind, title_of(kind), len(found[kind]), sum_amounts(found[kind]))
        for kind in order
    )


def title_of(kind: str) -> str:
    """A kind of item as a heading."""
    return ITEM_KINDS.get(kind) or kind.replace("_", " ").capitalize()


def _check_against_items(
    number: str, lines: Sequence[StatementLine], total: Decimal, amounts: Amounts
) -> None:
    """The lines of each service are its charges, and all together are all rows of the unit."""
    charged: dict[str, Decimal] = {}
    for line in lines:
        charged[line.service_id] = charged.get(line.service_id, ZERO) + line.charged_amount
    for service_id in sorted(charged.keys() | amounts.keys()):
        expected = amounts[service_id].charged if service_id in amounts else ZERO
        got = charged.get(service_id, ZERO)
        if got != expected:
            what = f"the bill lines of {service_id} against its charges among the bill items"
            raise UntiedStatementError(number, what, expected, got)
    expected = sum_amounts(found.amount for found in amounts.values())
    if total != expected:
        raise UntiedStatementError(number, "the sections against all bill items", expected, total)


def _amounts_of(other: OtherBills | None, unit: str) -> Amounts | None:
    return None if other is None else other.amounts.get(unit, {})


def _compare(other: OtherBills | None, unit: str) -> Comparison | None:
    if other is None:
        return None
    found = other.amounts.get(unit, {}).values()
    return Comparison(
        other.name,
        sum_amounts(item.amount for item in found),
        sum_amounts(item.charged for item in found),
    )


def _find_comparable(
    figures: PeriodFigures, previous: Comparison | None, moves: Sequence[Reassignment]
) -> Comparison | None:
    """What was billed before to the cost centres that the unit has now: those that joined count
    with their bills of then, those that left do not."""
    if previous is None:
        return None
    signs = {"joined": 1, "left": -1}
    moved = [
        signs[move.kind] * figures.previous_billed.get(move.cost_centre_id, ZERO)
        for move in moves
        if move.kind in signs
    ]
    if not any(moved):
        return None
    amount = previous.amount + sum_amounts(moved)
    return Comparison(f"{previous.name}, cost centres of now", amount, ZERO)


def _find_replaced(replaced: OtherBills | None, unit: str) -> ReplacedVersion | None:
    if replaced is None or unit not in replaced.amounts:
        return None
    amounts = replaced.amounts[unit].values()
    return ReplacedVersion(replaced.scope.version, sum_amounts(item.amount for item in amounts))


def _summarise_charged(
    lines: Sequence[StatementLine], previous: Amounts | None, budget: Amounts | None
) -> tuple[ServiceSummary, ...]:
    """The charged services, and those that only the period before or the budget charged."""
    names: dict[str, str] = {}
    for charges in (budget, previous):
        for service_id, found in (charges or {}).items():
            if found.charged:
                names[service_id] = found.name
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


def _amount_of(charges: Amounts | None, service_id: str) -> Decimal | None:
    """Zero where there is something to compare with but not for this service."""
    if charges is None:
        return None
    return charges[service_id].charged if service_id in charges else ZERO


def _largest_first(service: ServiceSummary) -> tuple[Decimal, str, str]:
    return -service.amount, service.service_name, service.service_id


def _split_by_legal_entity(
    names: Mapping[str, str], charged: Sequence[StatementLine], items: Sequence[BillItem]
) -> tuple[LegalEntityAmount, ...]:
    amounts: dict[str, Decimal] = {}
    found = [(line.legal_entity_id, line.charged_amount) for line in charged]
    found += [(item.legal_entity_id, item.amount) for item in items]
    for entity_id, amount in found:
        amounts[entity_id or ""] = amounts.get(entity_id or "", ZERO) + amount
    return tuple(
        LegalEntityAmount(entity, names.get(entity) or entity or "no legal entity", amount)
        for entity, amount in sorted(amounts.items())
    )


def _find_reassignments(figures: PeriodFigures, unit: str) -> tuple[Reassignment, ...]:
    """Cost centres that came, went, or have moved away since."""
    now, then = figures.members, figures.previous_members
    own = {item: member for item, member in now.items() if member.business_unit_id == unit}
    found = [
        _to_reassignment("moved_later", item, member, member.as_is_name)
        for item, member in own.items()
        if member.as_is_id and member.as_is_id != unit and is_unit(member.as_is_id)
    ]
    found += [
        _to_reassignment("joined", item, member, then[item].business_unit_name)
        for item, member in own.items()
        if item in then and then[item].business_unit_id != unit
    ]
    found += [
        _to_reassignment("left", item, member, now[item].business_unit_name)
        for item, member in then.items()
        if member.business_unit_id == unit and item in now and item not in own
    ]
    return tuple(found)


def _to_reassignment(
    kind: str, cost_centre_id: str, member: Member, other_unit_name: str | None
) -> Reassignment:
    return Reassignment(
        kind=kind,
        cost_centre_id=cost_centre_id,
        cost_centre_name=member.cost_centre_name,
        other_unit_name=other_unit_name or "another unit",
        amount=member.amount,
    )
