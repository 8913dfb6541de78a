"""Right and broken records of the contracts that explain the figures without being charged.

Kept apart from `lake.py`, which merges them; the comments say which check a record breaks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Row = Mapping[str, Any]


def _day(day: str, **changes: Any) -> Row:
    row = {
        "calendar_id": "office",
        "calendar_name": "Office hours",
        "time_zone": "Europe/Berlin",
        "day_code": day,
        "opens_time": "08:00",
        "closes_time": "18:00",
        "is_open": "true",
        "valid_from": "2026-01-01",
    }
    return {**row, **changes}


def _target(service_id: str, **changes: Any) -> Row:
    row = {
        "service_id": service_id,
        "ticket_type": "incident",
        "priority": 1,
        "resolution_target_minutes": 240,
        "attainment_target_share": "0.95",
        "valid_from": "2026-01-01",
    }
    return {**row, **changes}


def _pay(entry_id: str, amount: str) -> Row:
    return {
        "entry_id": entry_id,
        "period_id": "2026-03",
        "legal_entity_id": "DE01",
        "cost_centre_id": "CC900",
        "cost_element_code": "salary",
        "currency_code": "EUR",
        "amount_local": amount,
    }


def _contract_line(line_id: str, **changes: Any) -> Row:
    row = {
        "contract_id": "V1",
        "line_id": line_id,
        "vendor_name": "ACME",
        "contract_name": "Support",
        "contract_kind": "maintenance",
        "starts_date": "2026-01-01",
        "renewal_code": "renews",
        "billing_interval_months": 12,
        "currency_code": "EUR",
        "amount_local": "1200.00",
    }
    return {**row, **changes}


def _capacity(pool_id: str, theoretical: str | None, practical: str) -> Row:
    return {
        "period_id": "2026-03",
        "pool_kind": "asset",
        "pool_id": pool_id,
        "theoretical_quantity": theoretical,
        "practical_quantity": practical,
        "unit_code": "vcpu",
    }


def _rating(service_id: str, score: str, scale: int | None) -> Row:
    return {
        "period_id": "2026-03",
        "service_id": service_id,
        "group_id": "all",
        "satisfaction_score": score,
        "scale_maximum": scale,
    }


def _project(period_id: str) -> Row:
    return {
        "project_id": "P1",
        "project_name": "New intranet",
        "period_id": period_id,
        "investment_kind": "transform",
        "cost_kind": "expense",
        "cost_centre_id": "CC900",
        "state_code": "active",
        "currency_code": "EUR",
        "actual_amount_local": "100.00",
    }


def _revenue(line_id: str, amount: str) -> Row:
    return {
        "line_id": line_id,
        "period_id": "2026-03",
        "legal_entity_id": "DE01",
        "business_unit_id": "BU1",
        "revenue_kind": "external",
        "currency_code": "EUR",
        "amount_local": amount,
    }


def _period(number: int, start: str, end: str) -> Row:
    return {
        "period_id": f"2026-{number:02}",
        "fiscal_year": 2026,
        "period_number": number,
        "starts_date": start,
        "ends_date": end,
    }


def _process(service_id: str, **changes: Any) -> Row:
    row = {
        "process_id": "order-to-cash",
        "process_name": "Order to cash",
        "service_id": service_id,
        "dependency_code": "stops",
        "share_weight": "1",
        "valid_from": "2026-01-01",
    }
    return {**row, **changes}


def _offering(offering_id: str, **changes: Any) -> Row:
    row = {
        "service_id": "mail",
        "service_name": "Mail",
        "category": "Workplace",
        "offering_id": offering_id,
        "state_code": "live",
        "is_orderable": "true",
        "valid_from": "2026-01-01",
    }
    return {**row, **changes}


def _uptime(service_id: str, agreed: str, down: str) -> Row:
    return {
        "period_id": "2026-03",
        "service_id": service_id,
        "agreed_minutes": agreed,
        "down_minutes": down,
    }


def _commitment(commitment_id: str, **changes: Any) -> Row:
    row = {
        "contract_commitment_id": commitment_id,
        "contract_id": "C1",
        "contract_commitment_type": "Savings Plan",
        "contract_commitment_category": "Spend",
        "contract_period_start": "2026-01-01 00:00:00",
        "contract_period_end": "2027-01-01 00:00:00",
        "contract_commitment_period_start": "2026-01-01 00:00:00",
        "contract_commitment_period_end": "2027-01-01 00:00:00",
        "contract_commitment_cost": "1200.5",
        "billing_currency": "USD",
    }
    return {**row, **changes}


def _unit(unit_id: str, **changes: Any) -> Row:
    row = {
        "business_unit_id": unit_id,
        "business_unit_name": unit_id.title(),
        "valid_from": "2026-01-01",
    }
    return {**row, **changes}


def _assessed(item_id: str, **changes: Any) -> Row:
    row = {
        "item_kind": "service",
        "item_id": item_id,
        "criticality_code": "business_critical",
        "valid_from": "2026-01-01",
    }
    return {**row, **changes}


def _right(entitlement_id: str, **changes: Any) -> Row:
    row = {
        "entitlement_id": entitlement_id,
        "product_id": "crm-suite",
        "product_name": "CRM Suite",
        "metric_code": "named_user",
        "term_code": "subscription",
        "entitled_quantity": "250",
        "currency_code": "EUR",
        "amount_local": "30000.00",
        "valid_from": "2026-01-01",
    }
    return {**row, **changes}


GOOD: dict[str, list[Row]] = {
    "business_units": [
        _unit("GROUP"),
        _unit("SALES", parent_business_unit_id="GROUP", valid_to="2026-04-01"),
        _unit("SALES", parent_business_unit_id="GROUP", valid_from="2026-04-01"),
    ],
    "criticality": [_assessed("mail"), _assessed("mail", item_kind="application")],
    "licence_entitlements": [
        _right("E1"),
        _right("E2", term_code="perpetual", currency_code=None, amount_local=None),
    ],
    "availability": [_uptime("mail", "43200", "12.5"), _uptime("crm", "10", "10")],
    "business_processes": [_process("mail"), _process("crm", valid_to="2026-02-01")],
    "contract_commitments": [
        _commitment("S1"),
        _commitment("S2", contract_commitment_cost=None, billing_currency=None),
    ],
    # 4-4-5 weeks; the end of one period is the first day of the next.
    "fiscal_calendar": [
        _period(1, "2026-01-05", "2026-02-02"),
        _period(2, "2026-02-02", "2026-03-02"),
        _period(3, "2026-03-02", "2026-04-06"),
    ],
    "payroll": [_pay("1", "5000.00"), _pay("2", "-250.00")],
    "practical_capacity": [_capacity("srv1", "64", "64"), _capacity("srv2", None, "32")],
    "projects": [_project("2026-03"), _project("2026-04")],
    "revenue": [_revenue("1", "1000000.00"), _revenue("2", "-5.00")],
    "satisfaction": [_rating("mail", "4.5", 5), _rating("crm", "5", 5)],
    "service_calendars": [
        _day("monday"),
        _day("sunday", is_open="false", opens_time=None, closes_time=None),
    ],
    "service_catalogue": [_offering("mailbox"), _offering("archive", valid_to="2026-06-01")],
    "sla_targets": [_target("mail"), _target("crm", attainment_target_share="1")],
    "vendor_contracts": [_contract_line("1"), _contract_line("2", ends_date="2027-01-01")],
}

BROKEN: dict[str, list[Row]] = {
    "business_units": [
        _unit("OPS", parent_business_unit_id="NOWHERE"),  # the one above is not listed
        _unit("LOOP", parent_business_unit_id="LOOP"),  # above itself
        _unit("GROUP", valid_from="2026-03-01"),  # overlaps the first one
        _unit("GONE", valid_to="2026-01-01"),  # never in force
    ],
    "criticality": [
        _assessed("erp", valid_to="2025-12-31"),  # never in force
        _assessed("mail", valid_from="2026-02-01"),  # overlaps the first one
    ],
    "licence_entitlements": [
        _right("E3", valid_to="2026-01-01"),  # never in force
        _right("E4", term_code="perpetual", valid_to="2027-01-01"),  # perpetual with an end
        _right("E5", currency_code=None),  # a price without a currency
    ],
    "availability": [_uptime("erp", "10", "10.5")],  # down longer than promised
    "business_processes": [_process("erp", valid_to="2026-01-01")],  # never in force
    "contract_commitments": [
        _commitment("S3", contract_commitment_period_end="2026-01-01 00:00:00"),  # ends at start
        _commitment("S4", billing_currency=None),  # a cost without a currency
        _commitment("S5", contract_commitment_category="Hope"),  # not allowed
    ],
    "fiscal_calendar": [
        _period(4, "2026-04-05", "2026-05-04"),  # begins within the third period
        _period(5, "2026-05-04", "2026-05-04"),  # no day
    ],
    "payroll": [_pay("3", "1000000000000000.00")],  # 10^15
    "practical_capacity": [_capacity("srv3", "64", "65")],  # above the theoretical one
    "projects": [_project("2026-03")],  # the same record again: both break the key
    "revenue": [_revenue("3", "-1000000000000000.00")],  # 10^15
    "satisfaction": [_rating("erp", "6", 5), _rating("lan", "4", None)],  # off, without a scale
    "service_calendars": [
        _day("tuesday", closes_time=None),  # open without an hour to close
        _day("friday", valid_to="2025-12-31"),  # never in force
    ],
    "service_catalogue": [_offering("fax", valid_to="2026-01-01")],  # never in force
    "sla_targets": [
        _target("erp", attainment_target_share="95"),  # a percentage
        _target("lan", valid_to="2026-01-01"),  # never in force
    ],
    "vendor_contracts": [_contract_line("3", ends_date="2026-01-01")],  # ends on its first day
}

# (contract, check, severity, number of broken records), worked out from the records above.
FAILURES = [
    ("business_units", "span_order", "error", 1),
    ("business_units", "no_overlapping_spans", "error", 1),
    ("business_units", "parent_is_listed", "warning", 1),
    ("business_units", "not_its_own_parent", "error", 1),
    ("criticality", "span_order", "error", 1),
    ("criticality", "no_overlapping_spans", "warning", 1),
    ("licence_entitlements", "span_order", "error", 1),
    ("licence_entitlements", "perpetual_right_has_no_end", "warning", 1),
    ("licence_entitlements", "amount_has_currency", "warning", 1),
    ("availability", "down_within_agreed", "warning", 1),
    ("business_processes", "span_order", "error", 1),
    ("contract_commitments", "contract_commitment_category_allowed", "error", 1),
    ("contract_commitments", "commitment_period_order", "error", 1),
    ("contract_commitments", "cost_has_currency", "warning", 1),
    ("fiscal_calendar", "period_order", "error", 1),
    ("fiscal_calendar", "no_overlapping_periods", "error", 1),
    ("payroll", "amount_within_range", "error", 1),
    ("practical_capacity", "practical_within_theoretical", "warning", 1),
    ("projects", "key_unique", "error", 2),
    ("revenue", "amount_within_range", "error", 1),
    ("satisfaction", "score_on_its_scale", "warning", 2),
    ("service_calendars", "open_days_have_hours", "error", 1),
    ("service_calendars", "span_order", "error", 1),
    ("service_catalogue", "span_order", "error", 1),
    ("sla_targets", "shares_within_one", "error", 1),
    ("sla_targets", "span_order", "error", 1),
    ("vendor_contracts", "term_order", "error", 1),
]
