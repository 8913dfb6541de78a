"""What was checked of the small company: 6 checks of 2 sources, 2 warnings.

The ledger of February has 31 records after 20 in January, +55 %, and 300.00 EUR after 280.00,
+7.1 %; headcount has one cost centre of three that no master knows, and lies a month behind.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

Row = Mapping[str, Any]

EVIL_CODE = "CC<b>99"


def build_check_marts() -> dict[str, list[Row]]:
    """The marts of the checks; the run is written by `publish`."""
    ledger = {"source_id": "general_ledger", "scenario_id": "actual"}
    heads = {"source_id": "headcount", "scenario_id": "actual"}
    jump = (
        "General ledger 2026-02: 31 records, 55 % more than 2026-01 (20); expected -50 % to +50 %."
    )
    unknown = f"Headcount 2026-01: 1 of 3 records (33.3 %) name a cost centre ({EVIL_CODE})."
    passed = [
        _check(ledger, "has_records", "delivered", is_passed=True),
        _check(ledger, "key_unique", "unique", severity="error", is_passed=True),
        _check(ledger, "amount_steady", "amount", is_passed=True),
        _check(heads, "has_records", "delivered", is_passed=True),
    ]
    failed = [
        {**_check(ledger, "volume_steady", "volume"), "broken_record_count": None},
        {**_check(heads, "centre_known", "reference"), "broken_record_count": 1},
    ]
    return {
        "rpt_data_checks": [
            {**row, "check_order": number} for number, row in enumerate([*passed, *failed])
        ],
        "rpt_data_check_findings": [
            {"source_id": "general_ledger", "check_id": "volume_steady", "finding_order": 0}
            | {"period_id": "2026-02", "sentence": jump},
            {"source_id": "headcount", "check_id": "centre_known", "finding_order": 0}
            | {"period_id": "2026-01", "sentence": unknown, "record_count": 1},
        ],
        "rpt_data_check_records": [
            {"source_id": "headcount", "check_id": "centre_known", "file_id": "f" * 64}
            | {"row_number": 3, "file_name": "heads.csv"}
            | {"record_text": f"cost_centre_id = {EVIL_CODE}"}
        ],
        "rpt_data_sources": [
            _source(ledger, 0, "2026-02", 51, None, None, (3, 1)),
            _source(heads, 1, "2026-01", 3, 1, Decimal("0.666666"), (2, 1)),
        ],
        "rpt_data_source_periods": [
            _period(ledger, "2026-02", 31, 20, "300.00", "280.00"),
            _period(ledger, "2026-01", 20, None, "280.00", None),
            _period(heads, "2026-02", 3, 3, None, None),
            _period(heads, "2026-01", 3, None, None, None),
        ],
    }


def _check(
    source: Row,
    check_id: str,
    kind: str,
    *,
    severity: str = "warning",
    is_passed: bool = False,
) -> Row:
    name = str(source["source_id"]).replace("_", " ").capitalize()
    return {
        **source,
        "check_id": check_id,
        "source_name": name,
        "check_kind": kind,
        "severity_code": severity,
        "sentence": f"{name}: {kind} is right.",
        "what_to_do": "Ask the sender.",
        "is_passed": is_passed,
        "checked_record_count": 51,
        "broken_record_count": 0,
    }


def _source(
    source: Row,
    order: int,
    latest: str,
    records: int,
    behind: int | None,
    known: Decimal | None,
    counts: tuple[int, int],
) -> Row:
    return {
        **source,
        "source_order": order,
        "latest_period_id": latest,
        "landed_date": date(2026, 3, 1),
        "source_name": str(source["source_id"]).replace("_", " ").capitalize(),
        "contract_id": source["source_id"],
        "file_count": 1,
        "record_count": records,
        "periods_behind": behind,
        "optional_filled_share": None,
        "known_code_share": known,
        "check_count": counts[0],
        "error_count": 0,
        "warning_count": counts[1],
    }


def _period(
    source: Row,
    period: str,
    records: int,
    before: int | None,
    amount: str | None,
    amount_before: str | None,
) -> Row:
    return {
        **source,
        "period_id": period,
        "currency_code": "EUR" if amount else None,
        "record_count": records,
        "previous_record_count": before,
        "amount_local": amount and Decimal(amount),
        "previous_amount_local": amount_before and Decimal(amount_before),
    }
