"""Terms that cancel each other inside a line, and what a headline may name."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.rerun.bridge_words import LABELS, REASONS, find_headline
from pipelines.rerun.explain_units import UNIT_TERMS
from pipelines.rerun.netting import net_terms
from pipelines.workspace.materiality import Materiality


def net(**amounts: int) -> dict[str, int]:
    return {k: int(v) for k, v in net_terms({k: Fraction(v) for k, v in amounts.items()}).items()}


def test_what_cancels_is_set_off_beginning_with_the_closest_pair() -> None:
    assert net(volume=78, rate=-78) == {}
    assert net(rules=50, pool_cost=32, volume=78, rate=-78) == {"rules": 50, "pool_cost": 32}
    # -19,246 and 18,496 leave -750, of which the 1,134 of pool cost leave 384.
    assert net(pool_cost=1134, mix=-19246, price=18496) == {"pool_cost": 384}
    assert net(volume=5, bounds=-5, price=3) == {"price": 3}
    assert net(volume=-10, tiers=4) == {"volume": -6}


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(-1000, 1000)))
def test_what_is_left_has_the_sign_of_the_change_and_sums_to_it(drawn: dict[str, int]) -> None:
    left = net(**drawn)
    change = sum(drawn.values())
    assert sum(left.values()) == change
    assert all(amount * change > 0 for amount in left.values())


@pytest.mark.parametrize(
    ("amount", "percent", "change", "base", "expected"),
    [
        ("0", "1", "9.99", "1000", False),
        ("0", "1", "-10.00", "1000", True),
        ("0", "1", "-10.00", "-1000", True),
        ("50", "1", "49.99", "1000", False),
        ("50", "10", "50.00", "1000", False),
        ("50", "5", "50.00", "1000", True),
        # Against nothing there is no percentage: the amount alone decides.
        ("50", "5", "50.00", "0", True),
        ("50", "5", "49.00", "0", False),
        ("0", "0", "0.01", "1000000", True),
        ("0", "0", "0.00", "0", False),
    ],
)
def test_a_change_is_material_by_amount_and_percent(
    amount: str, percent: str, change: str, base: str, expected: bool
) -> None:
    found = Materiality(amount=Decimal(amount), percent=Decimal(percent))
    assert found.is_material(Decimal(change), Decimal(base)) is expected


def test_thresholds_are_described() -> None:
    assert Materiality(amount=Decimal(1000)).describe("EUR") == "1,000.00 EUR and 1 %"
    assert Materiality(percent=Decimal("2.50")).describe("EUR") == "2.5 %"
    assert Materiality(percent=Decimal(0)).describe("EUR") == ""


def test_noise_is_no_headline() -> None:
    limit = Materiality(amount=Decimal(50))
    netted = {"price": Decimal(60), "volume": Decimal(40), "mix": Decimal(-10)}
    assert find_headline(netted, Decimal(90), Decimal(1000), limit) == "price"
    assert find_headline(netted, Decimal(90), Decimal(10000), limit) is None
    many = {"price": Decimal(45), "volume": Decimal(45)}
    assert find_headline(many, Decimal(90), Decimal(1000), limit) is None
    assert find_headline(netted, Decimal(-60), Decimal(100), Materiality()) == "mix"


def test_every_term_has_a_name_and_reasons() -> None:
    assert tuple(LABELS) == tuple(REASONS) == UNIT_TERMS
