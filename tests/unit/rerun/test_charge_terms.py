"""Terms of charges at a price, worked by hand in each test; they sum to the change, whatever it is.

Every figure is a price times a quantity that a reader can multiply.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.rerun.bridge_terms import TERMS
from pipelines.rerun.charge_terms import (
    CHARGE_TERMS,
    Charge,
    LineChange,
    Policy,
    charge_by,
    compute_charge_terms,
)
from pipelines.warehouse.audit_prices import PriceTerms

CENTS = 10**8
"""Engine units of one currency unit with two decimals."""
COST = {"pool_cost": Fraction(30 * CENTS), "mix": Fraction(-5 * CENTS)}
"""What the cost of a line did in these tests: 25.00 more."""


def card(price: str, fee: str = "0") -> PriceTerms:
    return PriceTerms([(Decimal(0), Decimal(price))], base_fee=Decimal(fee))


def by_card(price: str, fee: str = "0") -> Policy:
    return Policy("rate", card=card(price, fee))


def fixed(amount: str, per: str) -> Policy:
    return Policy("fixed", fixed_amount=Decimal(amount), fixed_per=per)


GRADUATED = PriceTerms([(Decimal(0), Decimal(4)), (Decimal(100), Decimal(3))])
VOLUME = PriceTerms([(Decimal(0), Decimal("0.50")), (Decimal(100), Decimal("0.40"))], True)
CAPPED = Policy("rate", card=replace(card("0.5"), maximum=Decimal(45)))
CALLS = Policy("rate", card=replace(card("0.1"), peak_price=Decimal("0.25")))
LAPTOP = by_card("192")


def use(policy: Policy, quantity: str = "0", cost: str = "0", peak: int = 0) -> Charge:
    return Charge(policy, True, Decimal(cost), Decimal(quantity), Fraction(peak))


def share(policy: Policy, weight: int, total_weight: int) -> Charge:
    return Charge(policy, True, weight=Fraction(weight), total_weight=Fraction(total_weight))


def explain(
    before: Charge,
    after: Charge,
    *,
    was: bool = True,
    is_in: bool = True,
    shows_cost: bool = False,
    cost_terms: dict[str, Fraction] | None = None,
) -> dict[str, str]:
    cost = dict.fromkeys(TERMS, Fraction(0)) | (cost_terms or {})
    terms = compute_charge_terms(LineChange(before, after, was, is_in, cost, shows_cost), CENTS)
    found = {name: amount / CENTS for name, amount in terms.items() if amount}
    return {name: f"{amount.numerator / amount.denominator:g}" for name, amount in found.items()}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        # 20 laptops at 178.00, then at 192.00: 20 x 14.00.
        (use(by_card("178"), "20"), use(LAPTOP, "20"), {"price": "280"}),
        # 20 laptops, then 23, at 192.00: 3 x 192.00.
        (use(LAPTOP, "20"), use(LAPTOP, "23"), {"volume": "576"}),
        # Nothing moved, whatever the cost did.
        (use(LAPTOP, "20", cost="3700"), use(LAPTOP, "20", cost="3100"), {}),
        # 3 more at the old price of 178.00, and 23 x 14.00.
        (use(by_card("178"), "20"), use(LAPTOP, "23"), {"volume": "534", "price": "322"}),
        # Graduated: 100 units are 400.00, so 4.00 each; 150 are 400 + 50 x 3 = 550.00. So 50 x
        # 4.00, and 150 units at 3.6667 and not at 4.00.
        (
            use(Policy("rate", card=GRADUATED), "100"),
            use(Policy("rate", card=GRADUATED), "150"),
            {"volume": "200", "tiers": "-50"},
        ),
        # Volume: 90 x 0.50 = 45.00, 100 x 0.40 = 40.00. 10 x 0.50, and 100 x -0.10.
        (
            use(Policy("rate", card=VOLUME), "90"),
            use(Policy("rate", card=VOLUME), "100"),
            {"volume": "5", "tiers": "-10"},
        ),
        # Base 10.00 and 2.00 each, then 12.00 and 2.50 each: 5 more at 2.00, 15 x 0.50, and 2.00.
        (
            use(by_card("2", "10"), "10"),
            use(by_card("2.5", "12"), "15"),
            {"volume": "10", "price": "7.5", "base_fee": "2"},
        ),
        # At most 45.00 in both: 10 more at 0.50 are nothing, because the maximum takes them.
        (use(CAPPED, "100"), use(CAPPED, "110"), {"volume": "5", "bounds": "-5"}),
        # 600 off peak at 0.10 and 400 at peak at 0.25 are 160.00; then 500 and 500 are 175.00.
        (use(CALLS, "1000", peak=400), use(CALLS, "1000", peak=500), {"peak": "15"}),
        # A credit of 10 units, then of 5: 5 x 192.00 less of it.
        (use(LAPTOP, "-10"), use(LAPTOP, "-5"), {"volume": "960"}),
        # From a credit to use: 5 units of -192.00 are taken back, 3 are used.
        (use(LAPTOP, "-5"), use(LAPTOP, "3"), {"volume": "1536"}),
    ],
)
def test_price_times_quantity(before: Charge, after: Charge, expected: dict[str, str]) -> None:
    assert explain(before, after, cost_terms=COST) == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        # A new consumer: 5 x 192.00, and the base fee.
        (
            Charge(by_card("192", "7")),
            use(by_card("192", "7"), "5"),
            {"volume": "960", "base_fee": "7"},
        ),
        # One that ended: the same away.
        (
            use(by_card("192", "7"), "5"),
            Charge(by_card("192", "7")),
            {"volume": "-960", "base_fee": "-7"},
        ),
        # A service without a price before: that of now, so that nothing of it is a dearer price.
        (Charge(Policy("rate")), use(LAPTOP, "5"), {"volume": "960"}),
        # 30.00 each, then 36.00; then nobody has it any more.
        (use(fixed("30", "consumer"), "1"), use(fixed("36", "consumer"), "9"), {"base_fee": "6"}),
        (use(fixed("30", "consumer"), "1"), Charge(fixed("30", "consumer")), {"base_fee": "-30"}),
        # 100.00 of all: 1 of 4 is 25.00; 2 of 5 of 120.00 is 48.00. A unit bore 25.00: volume
        # 25.00; 2 x (20.00 - 25.00) as others use more; 20.00 more by 2 of 5.
        (
            share(fixed("100", "period"), 1, 4),
            share(fixed("120", "period"), 2, 5),
            {"volume": "25", "rate": "-10", "base_fee": "8"},
        ),
    ],
)
def test_new_ended_and_fixed(before: Charge, after: Charge, expected: dict[str, str]) -> None:
    assert explain(before, after, cost_terms=COST) == expected


def test_cost_plus_follows_the_cost() -> None:
    """10 % on 100.00 and then 12 % on 125.00: 25.00 of cost, 2.50 of mark-up on it, and 2 % of
    125.00 as another price: 110.00 to 140.00."""
    before = use(Policy("cost_plus", Decimal(10)), cost="100")
    after = use(Policy("cost_plus", Decimal(12)), cost="125")
    assert explain(before, after, cost_terms=COST) == {
        "pool_cost": "30",
        "mix": "-5",
        "mark_up": "2.5",
        "price": "2.5",
    }


def test_another_policy_is_a_term_of_its_own() -> None:
    """20 laptops cost 3,700.00 and then, 23 of them, 3,725.00; the price is 192.00.

    At cost, then by rate card: the use of then at the price is 3,840.00, so 140.00 of policy, and
    3 x 192.00. The other way the policy takes the 140.00 back, and then the cost does what it did.
    Shown, then charged: all of 3,840.00 is policy on a bill, and 140.00 where what is shown counts.
    """
    at_cost, shown = Policy(), Policy("showback")
    priced = use(LAPTOP, "23", cost="3725")
    assert explain(use(at_cost, "20", "3700"), priced, cost_terms=COST) == {
        "policy": "140",
        "volume": "576",
    }
    assert explain(use(LAPTOP, "20", "3700"), use(at_cost, "23", "3725"), cost_terms=COST) == {
        "policy": "-140",
        "pool_cost": "30",
        "mix": "-5",
    }
    assert explain(use(shown, "20", "3700"), priced) == {"policy": "3840", "volume": "576"}
    assert explain(use(shown, "20", "3700"), priced, shows_cost=True) == {
        "policy": "140",
        "volume": "576",
    }
    assert explain(use(at_cost, "20", "3700"), use(shown, "23", "3725"), cost_terms=COST) == {
        "policy": "-3700"
    }
    market = replace(LAPTOP, kind="market", card=card("180"))
    assert explain(use(LAPTOP, "20"), use(market, "20")) == {"policy": "-240"}


def test_who_moves_brings_the_charge_of_then() -> None:
    """20 laptops of then move with 3,840.00, and 3 more come to the unit that has them now."""
    before, after = use(LAPTOP, "20"), use(LAPTOP, "23")
    assert explain(before, after, was=False) == {"organisation": "3840", "volume": "576"}
    assert explain(before, after, is_in=False) == {"organisation": "-3840"}


amounts = st.decimals(0, 10**6, places=2)
quantities = st.decimals(-(10**5), 10**5, places=3)
cards = st.builds(
    lambda prices, is_volume, fee, peak, low: PriceTerms(
        [(Decimal(start), price) for start, price in zip((0, 100, 5000), prices, strict=False)],
        is_volume,
        fee,
        peak,
        low,
        low + 5000 if low is not None else None,
    ),
    st.lists(amounts, min_size=1, max_size=3),
    st.booleans(),
    amounts,
    st.none() | amounts,
    st.none() | amounts,
)
policies = st.one_of(
    st.builds(
        lambda kind, item: Policy(kind, card=item), st.sampled_from(("rate", "market")), cards
    ),
    st.builds(lambda percent: Policy("cost_plus", percent), amounts),
    st.builds(
        lambda amount, per: Policy("fixed", None, amount, per),
        amounts,
        st.sampled_from(("consumer", "period")),
    ),
    st.just(Policy()),
    st.just(Policy("showback")),
)
charges = st.builds(
    lambda policy, exists, cost, quantity, part, weights: Charge(
        *(policy, exists, cost, quantity, Fraction(quantity) * part / 100),
        Fraction(weights[0]),
        Fraction(sum(weights)),
    ),
    policies,
    st.booleans(),
    quantities,
    quantities,
    st.integers(0, 100),
    st.tuples(st.integers(0, 99), st.integers(0, 99)),
)  # fmt: skip


@given(
    charges, charges, st.booleans(), st.sampled_from([(True, True), (True, False), (False, True)])
)
def test_terms_sum_to_the_change_of_the_charge(
    before: Charge, after: Charge, shows_cost: bool, membership: tuple[bool, bool]
) -> None:
    was, is_in = membership
    start, end = (charge_by(item.policy, item, shows_cost=shows_cost) for item in (before, after))
    costs = [Fraction(item.cost) if item.exists else Fraction(0) for item in (before, after)]
    cost_terms = dict.fromkeys(TERMS, Fraction(0)) | {"pool_cost": (costs[1] - costs[0]) * CENTS}
    change = LineChange(before, after, was, is_in, cost_terms, shows_cost)
    terms = compute_charge_terms(change, CENTS)
    assert tuple(terms) == CHARGE_TERMS
    expected = (end if is_in else 0) - (start if was else 0)
    assert sum(terms.values()) == expected * CENTS
