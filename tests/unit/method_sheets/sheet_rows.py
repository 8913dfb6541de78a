"""Rows of one service as the marts would give them, each test changing what it is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from pipelines.method_sheets.queries import Row, SheetRows


def make_rows(**changed: Any) -> SheetRows:
    """CRM in March 2026: 1,500 seats, 120 of them of Sales, 12,000.00 EUR."""
    rows = SheetRows(
        run={
            "run_id": "run-1",
            "built_at": datetime(2026, 4, 2, 8, 30),
            "workspace_name": "Acme",
            "currency_code": "EUR",
        },
        facts=make_facts(),
        offerings=[],
        cost={
            "delivered_amount": Decimal("12000.00"),
            "full_amount": Decimal("12000.00"),
            "received_amount": Decimal(0),
            "charged_amount": Decimal("12000.00"),
            "unit_cost": Decimal("8.0000000000"),
        },
        prices=[make_price("at_cost")],
        method=make_method(),
        units=[
            make_unit("SAL", "Sales", 120, "960.00"),
            make_unit("FIN", "Finance", 1380, "11040"),
        ],
        other_users=[],
        sources=[],
        pools=[],
        rules=[],
        deliveries=[],
    )
    return replace(rows, **changed)


def make_facts(**changed: Any) -> Row:
    return {
        "service_id": "crm",
        "service_name": "CRM",
        "category_name": "Applications",
        "description": "Customers and offers",
        "owner_name": "Ada Berg",
        "owner_email": "ada@example.com",
        "business_processes": "",
        "unit_code": "seat",
        "unit_name": "seat per month",
        "driver_name": "Seats",
        "charging_policy": "at_cost",
        "availability_target_share": None,
        "response_target_minutes": None,
        "resolution_target_minutes": None,
        "sla_attainment_target_share": None,
        "how_to_order": "",
        "how_to_use_less": "Give seats back",
    } | changed


def make_price(policy: str, price: str | None = None, **changed: Any) -> Row:
    """The first tier of a service's price; of a policy alone without `price`."""
    return {
        "charging_policy": policy,
        "tier_mode": "graduated" if price else None,
        "from_quantity": Decimal(0) if price else None,
        "unit_price": Decimal(price) if price else None,
        "peak_unit_price": None,
        "base_fee_amount": Decimal(0) if price else None,
        "minimum_amount": None,
        "maximum_amount": None,
        "source_name": None,
        "cost_plus_percent": None,
        "fixed_amount": None,
        "fixed_per": None,
    } | changed


def make_method(**changed: Any) -> Row:
    return {
        "split_method": "driver",
        "driver_name": "Seats",
        "driver_kind": "licence_seats",
        "driver_description": "Seats at the end of the month.",
        "fallback": "hold",
        "unit_code": "seat",
        "quality_code": "measured",
        "last_counted_period_id": "2026-03",
        "has_named_consumers": False,
    } | changed


def make_unit(unit_id: str, name: str, quantity: int | None, amount: str, **changed: Any) -> Row:
    return {
        "business_unit_id": unit_id,
        "business_unit_name": name,
        "is_borne": True,
        "quantity": None if quantity is None else Decimal(quantity),
        "amount": Decimal(amount),
        "charged_amount": Decimal(amount),
        "total_quantity": Decimal(1500),
        "total_amount": Decimal("12000.00"),
    } | changed
