"""What the method sheets and the comparison of bills read, for the small company of `marts`.

E-mail in February: 400 by 40 seats of CC10 24, CC11 6, CC20 10; declared 160 fixed and 240 that
follows use, which is 6 a seat. So they add 144, 36, 60, would pay 304, 196, 220 alone, and
their Shapley values are 160 / 3 + 6 a seat: 53.33 + 144 = 197.33, 53.34 + 36 = 89.34 and
53.33 + 60 = 113.33, together 400. Their bills are 240, 60, 100.

Storage in February: 450, of which the 120 of the pool Hardware are declared nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

Row = Mapping[str, Any]
FEB = {"scenario_id": "actual", "period_id": "2026-02", "version": 1}


def build_sheet_marts() -> dict[str, list[Row]]:
    """The rows of February."""
    return {
        "fct_service_methods_monthly": [
            {
                **FEB,
                "service_id": "mail",
                "split_method": "driver",
                "driver_id": "seats",
                "driver_name": "Seats",
                "driver_kind": "licence_seats",
                "driver_description": "Seats assigned at the end of the month",
                "fallback": "prior_period",
                "unit_code": "seat",
                "quality_code": "measured",
                "consumer_quantity": 40,
                "consumer_count": 3,
                "last_counted_period_id": "2026-02",
                "has_named_consumers": False,
            }
        ],
        "fct_service_cost_sources_monthly": [
            {**FEB, "service_id": "mail", "from_service_id": origin, **part}
            for origin, part in (
                ("mail", {"from_service_name": "E-mail", "amount": 300}),
                ("hosting", {"from_service_name": "Hosting", "amount": 100}),
            )
        ],
        "fct_service_rules_monthly": [
            _rule("services", "desk-work", "driver", 298, "Hours by service", "Who works decides"),
            _rule("services", "rest", "even", 2, None, "Too little to measure"),
            _rule("towers", "staff", "direct", 300, None, "<b>All</b> of it"),
        ],
        "fct_cost_pools_monthly": [
            {
                **FEB,
                "cost_pool_id": "hardware",
                "cost_pool_name": "Hardware",
                "sub_pool_name": "Disks",
                "cost_behaviour": "undeclared",
                "disposition": "allocated",
                "amount": 120,
            }
        ],
        "rpt_fairness": [
            *(
                _compare(consumer, bill, added, alone, Decimal(shapley))
                for consumer, bill, added, alone, shapley in (
                    ("CC10", 240, 144, 304, "197.33"),
                    ("CC11", 60, 36, 196, "89.34"),
                    ("CC20", 100, 60, 220, "113.33"),
                )
            ),
            *(
                {
                    **FEB,
                    "service_id": "storage",
                    "service_name": "Storage",
                    "consumer_kind": "consumer",
                    "consumer_id": consumer,
                    "consumer_name": consumer,
                    "consumer_count": 2,
                    "status_code": "undeclared",
                    "bill_amount": bill,
                    "dedicated_amount": 0,
                    "service_cost_amount": 450,
                    "service_fixed_amount": 330,
                    "service_variable_amount": 0,
                    "service_dedicated_amount": 0,
                    "service_undeclared_amount": 120,
                }
                for consumer, bill in (("CC10", 150), ("CC20", 300))
            ),
        ],
    }


def _rule(
    stop: str, rule_id: str, method: str, amount: int, driver: str | None, reason: str
) -> Row:
    return {
        **FEB,
        "service_id": "mail",
        "stop_code": stop,
        "rule_id": rule_id,
        "method": method,
        "to_tagged_service": False,
        "driver_name": driver,
        "owner_name": "Workplace team",
        "reason": reason,
        "amount": amount,
    }


def _compare(consumer: str, bill: int, added: int, alone: int, shapley: Decimal) -> Row:
    return {
        **FEB,
        "service_id": "mail",
        "service_name": "E-mail",
        "consumer_kind": "consumer",
        "consumer_id": consumer,
        "consumer_name": consumer,
        "business_unit_id": "SAL",
        "business_unit_name": "Sales",
        "consumer_count": 3,
        "status_code": "compared",
        "verdict_code": "between",
        "quantity": bill // 10,
        "unit_code": "seat",
        "bill_amount": bill,
        "incremental_amount": added,
        "stand_alone_amount": alone,
        "shapley_amount": shapley,
        "dedicated_amount": 0,
        "service_cost_amount": 400,
        "service_fixed_amount": 160,
        "service_variable_amount": 240,
        "service_dedicated_amount": 0,
        "service_undeclared_amount": 0,
    }
