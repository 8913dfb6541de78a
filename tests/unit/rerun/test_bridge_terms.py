"""Terms as money: rounded once, and handed to the parts of a bill without a cent too many."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import ControlError
from pipelines.rerun.bill_states import Receiver, Split, State, read_splits
from pipelines.rerun.bridge_terms import ROUNDING, TERMS, make_parts, make_terms, to_amount
from pipelines.rerun.engine import Scope
from pipelines.rerun.explain import States, _split_use

CENT = 10**6
SALES, OPS = ("erp", "sales"), ("erp", "ops")


@pytest.mark.parametrize(
    ("units", "digits", "expected"),
    [
        (Fraction(499_999), 2, "0.00"),
        (Fraction(500_000), 2, "0.01"),
        (Fraction(-500_000), 2, "-0.01"),
        (Fraction(-499_999), 2, "0.00"),
        (Fraction(10**12 * 4 + 1, 3), 2, "13333.33"),
        (Fraction(1_500_000), 0, "2"),
        (Fraction(1_500_000), 3, "0.002"),
    ],
)
def test_units_become_money_half_away_from_zero(
    units: Fraction, digits: int, expected: str
) -> None:
    assert str(to_amount(units, digits)) == expected


def test_what_rounding_of_bill_lines_makes_is_a_term() -> None:
    """Lines of 1/3 cent each, of which one was dealt the cent of the bill."""
    line = dict.fromkeys(TERMS, Fraction(0)) | {"pool_cost": Fraction(CENT, 3)}
    after = {SALES: Decimal("0.01"), OPS: Decimal("0.01")}
    terms, _, _ = make_terms([line, line], {}, after, 2)
    assert (terms["pool_cost"], terms[ROUNDING]) == (Decimal("0.01"), Decimal("0.01"))


def test_more_than_rounding_is_refused() -> None:
    """Two lines are at most 4 cents off, and seven terms 7."""
    line = dict.fromkeys(TERMS, Fraction(0))
    after = {SALES: Decimal("0.06"), OPS: Decimal("0.05")}
    assert make_terms([line], {}, after, 2)[0][ROUNDING] == Decimal("0.11")
    with pytest.raises(ControlError, match=r"expected 0\.12 up to a rounding of 0\.11"):
        make_terms([line], {}, after | {SALES: Decimal("0.07")}, 2)


def test_cents_of_a_term_go_to_the_parts_that_lost_most() -> None:
    """1.2 + 1.3 + 1.5 cents are 4: the open cent is that of 1.5."""
    amounts = {"a": Fraction(12, 10), "b": Fraction(13, 10), "c": Fraction(15, 10)}
    lines = {
        (name, "sales"): dict.fromkeys(TERMS, Fraction(0)) | {"mix": amount * CENT}
        for name, amount in amounts.items()
    }
    terms = dict.fromkeys(TERMS, Decimal("0.00")) | {"mix": Decimal("0.04")}
    parts = make_parts(lines, ({}, {}), terms, {"c": "Third"}, 0, 2)
    assert {part.part_id: str(part.terms["mix"]) for part in parts} == {
        "a": "0.01",
        "b": "0.01",
        "c": "0.02",
    }
    assert [part.name for part in parts] == ["a", "b", "Third"]


@given(
    st.dictionaries(
        st.sampled_from([(service, centre) for service in "abc" for centre in "xyz"]),
        st.lists(st.fractions(-(10**9), 10**9), min_size=len(TERMS), max_size=len(TERMS)),
    )
)
def test_terms_and_parts_sum_exactly(drawn: dict[tuple[str, str], list[Fraction]]) -> None:
    lines = {line: dict(zip(TERMS, units, strict=True)) for line, units in drawn.items()}
    after = {line: to_amount(sum(units, Fraction(0)), 2) for line, units in drawn.items()}
    terms, before, bill = make_terms(lines.values(), {}, after, 2)
    assert sum(terms.values()) == bill - before
    parts = make_parts(lines, ({}, after), terms, {}, 0, 2)
    for term, amount in terms.items():
        assert sum((part.terms[term] for part in parts), Decimal(0)) == amount
    for part in parts:
        assert sum(part.terms.values()) == part.change


def test_self_use_is_no_use() -> None:
    """erp uses 5 of itself, the desk 3, sales 2: a unit costs delivered / outside, over 5 units."""
    with duckdb.connect() as connection:
        connection.execute("create schema stops")
        connection.execute(
            "create table stops.int_delivered_services__use as "
            "select *, 1000000000000::hugeint as weight_scale, 1::hugeint as weight_factor "
            "from (values "
            "('actual', '2026-01', 'erp', 'service', 'erp', 5::hugeint, 5, 'seat'), "
            "('actual', '2026-01', 'erp', 'service', 'desk', 3, 3, 'seat'), "
            "('actual', '2026-01', 'erp', 'consumer', 'sales', 2, 2, 'seat')) as use("
            "scenario_id, period_id, service_id, receiver_kind, receiver_id, weight, quantity, "
            "unit_code)"
        )
        connection.execute(
            "create table stops.int_delivered_services__cells as select 'actual' as scenario_id, "
            "'2026-01' as period_id, 'erp' as service_id, 'allocated' as disposition, "
            "null::varchar as tagged_consumer_id, 8000000::hugeint as amount_units"
        )
        split = read_splits(connection, Scope("actual", "2026-01"))["erp"]
    assert (split.inside_weight, split.total_quantity) == (Fraction(3), Decimal(5))
    assert (split.unit_cost, split.basis) == (Fraction(4_000_000), "measured")


def split_use(before: Split, after: Split, money: int) -> str:
    """Volume and rate of sales, whose line has `money` before its use is swapped."""
    state = State({SALES: {("pool", "tower"): money}})
    splits = ({"erp": before}, {"erp": after})
    volume, rate = _split_use(States(state, state, state, state, state, *splits, {}, {}), SALES)
    return f"{volume} and {rate}"


def measure(delivered: int, **weights: int) -> Split:
    receivers = {
        name: Receiver(Fraction(item), Decimal(item), "seat") for name, item in weights.items()
    }
    return Split(receivers, delivered=delivered)


def test_volume_and_rate_without_a_unit_cost_before() -> None:
    one = Receiver(Fraction(1), None, None)
    held = Split({"(unallocated)": one}, delivered=900)
    even = Split({"sales": one, "ops": one}, delivered=900)
    used = measure(900, sales=2, ops=1)
    # Held, then used: all that sales bears is volume. Used, then held: it is volume that goes.
    assert split_use(held, used, 0) == "600 and 0"
    assert split_use(used, held, 600) == "-600 and 0"
    # Split evenly, then by use: neither; the basis of the split is another, which is mix.
    assert split_use(even, used, 450) == "0 and 0"
    # Split evenly by two, then by three: the same share of a cost that more bear is rate.
    third = Split({**even.outside, "hr": one}, delivered=900)
    assert split_use(even, third, 450) == "0 and -150"
    # Only services used it: what a unit costs later is what it costs.
    inside = Split({}, inside_weight=Fraction(4))
    assert split_use(inside, used, 0) == "600 and 0"
