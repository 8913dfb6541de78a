"""Cents of a service among its cost pools, worked by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pipelines.billing.cost_breakdown import deal_cents
from pipelines.billing.cost_queries import PoolCost


def make_parts(*amounts: str) -> list[PoolCost]:
    return [
        PoolCost(f"p{number}", f"Pool {number}", Decimal(amount))
        for number, amount in enumerate(amounts)
    ]


@pytest.mark.parametrize(
    ("cost", "exact", "dealt"),
    [
        # Thirds of 1,000.00: the cent that is open goes to the first of those that lost as much.
        ("1000.00", ("333.33333333",) * 3, ("333.34", "333.33", "333.33")),
        # Rounded down 0.66 and 0.33; the larger remainder is that of 0.338.
        ("1.00", ("0.662", "0.338"), ("0.66", "0.34")),
        # A credit rounds down as well: -0.67 and -0.34 are one cent too little.
        ("-1.00", ("-0.662", "-0.338"), ("-0.66", "-0.34")),
        # The lines were rounded down by more than the pools: two cents are taken back.
        ("0.98", ("0.50", "0.50"), ("0.49", "0.49")),
        # And up: three cents for two pools.
        ("1.03", ("0.50", "0.50"), ("0.52", "0.51")),
        # A pool without cost gets no cent.
        ("10.01", ("0.00", "10.006"), ("0.00", "10.01")),
    ],
)
def test_cents_are_dealt_by_largest_remainder(
    cost: str, exact: tuple[str, ...], dealt: tuple[str, ...]
) -> None:
    found = deal_cents(Decimal(cost), make_parts(*exact))
    assert [str(amount) for amount in found.values()] == list(dealt)
    assert sum(found.values()) == Decimal(cost)


def test_the_order_of_the_pools_does_not_matter() -> None:
    parts = make_parts("333.33333333", "333.33333333", "333.33333333")
    assert deal_cents(Decimal(1000), parts) == deal_cents(Decimal(1000), parts[::-1])
