"""Turn a statement into the strings that the PDF template sets.

All rounding and formatting happens here, so that the template only places text: what the page
says can be tested without rendering it. Texts are data for the template, never markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import groupby
from typing import Any

from pipelines.billing.formats import (
    ABSENT,
    breakable,
    format_amount,
    format_change,
    format_count,
    format_date,
    format_money,
    format_quantity,
    format_rate,
    format_share,
    format_share_change,
    format_time,
)
from pipelines.billing.notes import (
    MEASURED,
    collect_notes,
    describe_missing_close,
    is_credit,
    name_total,
    write_summary,
)
from pipelines.billing.pdf_figures import (
    build_bridge,
    build_confidence,
    build_matrix,
    measure_columns,
    name_recovery,
)
from pipelines.billing.records import (
    CHARGE,
    BillItem,
    CertificateIdentity,
    Comparison,
    ServiceQuality,
    ServiceSummary,
    Statement,
    StatementLine,
    sum_amounts,
)

Data = dict[str, Any]

NO_BREAK_SPACE = "\u00a0"
SHORT_FINGERPRINT = 12
SHORT_HASH = 16


def build_pdf_data(statement: Statement) -> Data:
    """Everything that the template needs, as JSON-ready texts and small whole numbers."""
    return {
        "heading": _build_heading(statement),
        "totals": _build_totals(statement),
        "summary": _set_prose(statement, write_summary(statement)),
        "kinds": _build_kinds(statement),
        "bridge": build_bridge(statement),
        "services": _build_services(statement),
        "items": _build_items(statement),
        "pools": _build_pools(statement),
        "matrix": build_matrix(statement),
        "confidence": build_confidence(statement),
        "cost_centres": (groups := _build_cost_centres(statement)),
        "line_widths": measure_columns(groups),
        "legal_entities": _build_legal_entities(statement),
        "showback": _build_showback(statement),
        "quality": [_build_quality(service) for service in statement.quality],
        "notes": [
            {"title": note.title, "text": _set_prose(statement, note.text)}
            for note in collect_notes(statement)
        ],
        "certificate": _build_certificate(statement),
    }


def _set_prose(statement: Statement, text: str) -> str:
    """Text for a paragraph: an amount stays on the line of its currency."""
    currency = statement.currency_code
    return breakable(text).replace(f"{currency} ", f"{currency}{NO_BREAK_SPACE}")


def _build_heading(statement: Statement) -> Data:
    run, period, recipient = statement.run, statement.period, statement.recipient
    return {
        "company": run.workspace_name,
        "issuer": breakable(statement.issuer_name),
        "recipient": breakable(recipient.name),
        "recipient_id": breakable(recipient.business_unit_id),
        "division": breakable(recipient.division_name or ""),
        "legal_entities": [
            f"{breakable(entity.legal_entity_name)}" for entity in statement.legal_entities
        ],
        "number": statement.number,
        "number_breakable": breakable(statement.number),
        "period": period.name,
        "span": f"{format_date(period.start)} to {format_date(_last_day(statement))}",
        "issued": format_date(run.built_at.date()),
        "version": str(statement.version),
        "state": _describe_state(statement),
        "is_final": statement.is_final,
        "period_state": period.state,
        "currency": statement.currency_code,
        "run": run.run_id,
        "short_fingerprint": run.fingerprint[:SHORT_FINGERPRINT],
        "built_at": format_time(run.built_at),
    }


def _last_day(statement: Statement) -> Any:
    period = statement.period
    return period.end.fromordinal(period.end.toordinal() - 1)


def _describe_state(statement: Statement) -> str:
    if statement.scenario_id != "actual":
        return statement.scenario_id.capitalize()
    return "Final" if statement.period.is_final else "Preview, not final"


def _build_totals(statement: Statement) -> Data:
    comparisons = [
        _build_comparison(statement, other, name)
        for other, name in (
            (statement.previous, None),
            (statement.comparable, None),
            (statement.budget, "Budget"),
        )
        if other is not None
    ]
    return {
        "label": name_total(statement),
        "amount": format_amount(statement.total),
        "is_credit": is_credit(statement),
        "comparisons": comparisons,
    }


def _build_comparison(statement: Statement, other: Comparison, name: str | None) -> Data:
    change = statement.total - other.amount
    has_share = statement.total * other.amount >= 0 and not statement.missing
    return {
        "name": name or other.name,
        "amount": format_amount(other.amount),
        "change": "not complete" if statement.missing else format_change(change),
        "share": (format_share_change(change, other.amount) or "") if has_share else "",
    }


def _build_services(statement: Statement) -> Data:
    return {
        "rows": [
            {**_build_service(service), "mark": _join_marks(statement, service.service_id)}
            for service in statement.services
        ],
        "cost_centre": _name_only_cost_centre(statement),
        "total": format_amount(statement.charged),
        "has_previous": statement.previous is not None,
        "previous": statement.previous.name if statement.previous else "",
        "previous_total": format_amount(statement.previous.charged) if statement.previous else "",
        "has_budget": statement.budget is not None,
        "budget_total": format_amount(statement.budget.charged) if statement.budget else "",
    }


def _build_kinds(statement: Statement) -> list[Data]:
    """What the total is made of; nothing where that is charges alone."""
    if not statement.items:
        return []
    return [
        {
            "name": kind.title,
            "count": f"{kind.count:,}",
            "amount": format_amount(kind.amount),
        }
        for kind in statement.kinds
    ]


def _build_items(statement: Statement) -> list[Data]:
    """What is billed besides charges, a section per kind. Columns without any text are left out."""
    sections = []
    for kind in statement.kinds:
        rows = [_build_item(item) for item in statement.items if item.kind == kind.kind]
        if kind.kind == CHARGE:
            continue
        section: Data = {
            "title": kind.title,
            "rows": rows,
            "total_name": f"All {kind.title[0].lower()}{kind.title[1:]}",
            "total": format_amount(kind.amount),
        }
        for key in ("origin", "reference", "reason"):
            section[f"has_{key}"] = any(row[key] for row in rows)
        sections.append(section)
    return sections


def _build_item(item: BillItem) -> Data:
    origin = item.origin_number or item.origin_period_id or ""
    return {
        "service": breakable(item.service_name or ABSENT),
        "cost_centre": breakable(item.cost_centre_name),
        "cost_centre_id": breakable(item.cost_centre_id),
        "origin": breakable(origin),
        "reference": breakable(item.reference_id or ""),
        "reason": breakable(item.reason or ""),
        "amount": format_amount(item.amount),
    }


def _join_marks(statement: Statement, service_id: str) -> str:
    """How the quantities of a service came about, where not all of them are measured."""
    qualities = {
        line.driver_quality
        for line in statement.charged_lines
        if line.service_id == service_id and line.driver_quality
    }
    others = sorted(qualities - {MEASURED})
    partly = "partly " if others and MEASURED in qualities else ""
    return partly + ", ".join(others)


def _name_only_cost_centre(statement: Statement) -> str:
    """The cost centre of all lines. Where it is the only one, its lines are the services'."""
    found = {line.cost_centre_id: line.cost_centre_name for line in statement.charged_lines}
    if len(found) != 1:
        return ""
    ((cost_centre_id, name),) = found.items()
    return breakable(f"{name} ({cost_centre_id})")


def _build_service(service: ServiceSummary) -> Data:
    return {
        "name": breakable(service.service_name),
        "quantity": format_quantity(service.quantity),
        "unit": breakable(service.unit_name or ""),
        "rate": "various" if service.has_various_rates else format_rate(service.unit_rate),
        "amount": format_amount(service.amount),
        "previous": format_amount(service.previous_amount),
        "budget": format_amount(service.budget_amount),
    }


def _build_pools(statement: Statement) -> Data:
    largest = max((abs(pool.amount) for pool in statement.pools), default=Decimal(0))
    cost = sum_amounts(pool.amount for pool in statement.pools)
    return {
        "rows": [
            {
                "name": breakable(pool.cost_pool_name),
                "amount": format_amount(pool.amount),
                "share": _share_of(pool.amount, cost),
                "per_mille": int(abs(pool.amount) * 1000 / largest) if largest else 0,
                "is_negative": pool.amount < 0,
            }
            for pool in statement.pools
        ],
        "cost": format_amount(cost),
        "recovery_name": name_recovery(statement.recovery),
        "recovery": format_amount(statement.recovery) if statement.recovery else "",
        "total": format_amount(statement.charged),
    }


def _share_of(amount: Decimal, total: Decimal) -> str:
    """Percent of the total; a dash where a share would say nothing (zero or credit total)."""
    return format_share(amount / total) if total > 0 else ABSENT


def _build_cost_centres(statement: Statement) -> list[Data]:
    groups = []
    for _, found in groupby(statement.charged_lines, key=lambda line: line.cost_centre_id):
        lines = list(found)
        groups.append(
            {
                "name": breakable(lines[0].cost_centre_name),
                "id": breakable(lines[0].cost_centre_id),
                "rows": [_build_line(line, line.charged_amount) for line in lines],
                "count": format_count(len(lines), "line"),
                "total": format_amount(sum_amounts(line.charged_amount for line in lines)),
            }
        )
    return groups


def _build_line(line: StatementLine, amount: Decimal) -> Data:
    quality = line.driver_quality or ""
    return {
        "service": breakable(line.service_name),
        "mark": "" if quality == MEASURED else quality,
        "quantity": format_quantity(line.quantity),
        "unit": breakable(line.unit_name or ""),
        "rate": format_rate(line.unit_rate),
        "amount": format_amount(amount),
    }


def _build_legal_entities(statement: Statement) -> list[Data]:
    """Only where there is more than one; with one its name stands in the heading."""
    if len(statement.legal_entities) < 2:
        return []
    return [
        {
            "name": breakable(entity.legal_entity_name),
            "id": breakable(entity.legal_entity_id),
            "amount": format_amount(entity.amount),
        }
        for entity in statement.legal_entities
    ]


def _build_showback(statement: Statement) -> Data:
    return {
        "rows": [_build_service(service) for service in statement.showback_services],
        "total": format_amount(statement.showback_total),
    }


def _build_quality(service: ServiceQuality) -> Data:
    tickets = ABSENT if service.ticket_count is None else f"{service.ticket_count:,}"
    return {
        "service": breakable(service.service_name),
        "owner": breakable(service.owner_name or ABSENT),
        "email": service.owner_email or "",
        "availability": _build_level(
            service.availability_share, service.availability_target_share, 2
        ),
        "sla": _build_level(service.sla_attainment_share, service.sla_attainment_target_share, 1),
        "tickets": tickets,
    }


def _build_level(share: Decimal | None, target: Decimal | None, decimals: int) -> Data:
    verdict = ""
    if share is not None and target is not None:
        verdict = "met" if share >= target else "missed"
    return {
        "share": format_share(share, decimals),
        "target": "" if target is None else format_share(target, decimals),
        "verdict": verdict,
    }


def _build_certificate(statement: Statement) -> Data:
    run, closing = statement.run, statement.closing
    return {
        "identities": [_build_identity(identity) for identity in statement.certificate],
        "id": breakable(statement.certificate_id),
        "statement": _set_prose(statement, format_money(statement.total, statement.currency_code)),
        "run": run.run_id,
        "built_at": format_time(run.built_at),
        "fingerprint": breakable(run.fingerprint),
        "code_version": run.code_version,
        "version": str(statement.version),
        "ties": statement.is_certified,
        "close": describe_missing_close(statement)
        if closing is None
        else f"number {closing.close_number} on {closing.closed_at[:10]}, approved by "
        f"{closing.approved_by} · manifest {closing.manifest_hash[:SHORT_HASH]}",
        "head": ""
        if closing is None
        else f"close number {closing.head_number} · {closing.head_hash[:SHORT_HASH]}",
    }


def _build_identity(identity: CertificateIdentity) -> Data:
    def build_side(side: str) -> Sequence[Data]:
        return [
            {"name": breakable(term.term_name), "amount": format_amount(term.amount_cents)}
            for term in identity.terms
            if term.side == side
        ]

    difference = identity.difference
    return {
        "name": identity.identity_name,
        "left": build_side("left"),
        "right": build_side("right"),
        "difference": format_amount(difference),
        "ties": difference == 0,
    }
