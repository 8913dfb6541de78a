"""Books of both kinds, and an item of a bill to dispute."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pipelines.disputes.bill_items import BillItem
from tests.either_books import either_books

__all__ = ["either_books"]


@pytest.fixture
def line() -> BillItem:
    """Sales was charged 162.98 EUR for e-mail in January."""
    return BillItem(
        *("2026-01", 1, "c1", "charge", "c1", "mail", "E-mail", "cc-sales", "Field sales"),
        *("SAL", "Sales", "EUR", Decimal("162.98")),
    )
