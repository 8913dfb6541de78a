"""How long disputes have been open."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from pipelines.disputes.ageing import count_days, name_bucket, sum_by_bucket, sum_by_owner
from pipelines.disputes.bill_items import BillItem
from pipelines.disputes.disputes import Dispute

TODAY = date(2026, 3, 31)


@pytest.mark.parametrize(
    ("days", "bucket"),
    [(0, "0-30"), (30, "0-30"), (31, "31-60"), (60, "31-60"), (61, "61-90"), (90, "61-90"),
     (91, ">90")],
)  # fmt: skip
def test_bucket_of_an_age(days: int, bucket: str) -> None:
    assert name_bucket(days) == bucket


@pytest.fixture
def disputes(line: BillItem) -> list[Dispute]:
    """Opened on 1 and 31 March and on 1 January 2026; the fourth was decided after ten days."""
    values = {name: value for name, value in vars(line).items() if name != "amount"}
    first = Dispute(
        *("D-2026-0001", "business_unit"),
        **values,
        line_amount=line.amount,
        asked_amount=Decimal(-100),
        reason="x",
        opened_by="Olga",
        opened_at="2026-03-01T23:59:59+00:00",
    )
    return [
        first,
        replace(first, dispute_id="D-2026-0002", opened_at="2026-03-31T00:00:00+00:00",
                service_id="erp", asked_amount=Decimal("-20.50")),
        replace(first, dispute_id="A-2026-0001", opened_at="2026-01-01T10:00:00+00:00",
                asked_amount=Decimal(7)),
        replace(first, dispute_id="D-2026-0003", state="rejected",
                decided_at="2026-03-11T01:00:00+00:00"),
    ]  # fmt: skip


def test_days_are_counted_to_today_or_to_the_decision(disputes: list[Dispute]) -> None:
    assert [count_days(item, TODAY) for item in disputes] == [30, 0, 89, 10]


def test_open_ones_are_summed_by_age_and_by_owner(disputes: list[Dispute]) -> None:
    assert sum_by_bucket(disputes, TODAY) == [
        ("0-30", 2, Decimal("120.50")),
        ("31-60", 0, Decimal(0)),
        ("61-90", 1, Decimal(7)),
        (">90", 0, Decimal(0)),
    ]
    # Nobody owns the second service: it goes by its own name.
    assert sum_by_owner(disputes, {"mail": "Mia"}) == [
        ("Mia", 2, Decimal(107)),
        ("(E-mail)", 1, Decimal("20.50")),
    ]
