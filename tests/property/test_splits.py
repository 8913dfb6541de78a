"""`allocate_by_driver` against exact fractions: no difference in any part of any split."""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import Decimal

import duckdb
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.money import AMOUNT_LIMIT

from .exact import split_exactly
from .macros import write_split_query
from .runs import run_batches, seeds

BATCHES, CASES_PER_BATCH = 20, 500
UNITS = (1, 10**6)
# 10^11 times the limit of an amount, in engine units: a sum of as many lines.
LARGEST_AMOUNT = AMOUNT_LIMIT * 10**8 * 10**11
# Of weights and unit: the guard find_unsound_weights bounds the weights alone.
LARGEST_DIVISOR = 2**112 - 1
# (|amount| + unit) x weights up to which the macro takes 64 bits, an estimate, and one HUGEINT.
BOUNDS = (9 * 10**18, 10**33, 16 * 10**37)


@dataclass(frozen=True)
class Case:
    amount: int
    weights: list[int]
    unit: int


def split_by_macro(cases: list[Case]) -> list[list[int]]:
    """All cases in one query."""
    heads = pa.table(
        {
            "case_id": list(range(len(cases))),
            "amount": pa.array([Decimal(c.amount) for c in cases], pa.decimal128(38, 0)),
            "unit_size": [case.unit for case in cases],
        }
    )
    lines = [
        (number, place, Decimal(weight))
        for number, case in enumerate(cases)
        for place, weight in enumerate(case.weights)
    ]
    names = ("case_id", "position", "weight")
    columns = dict(zip(names, map(list, zip(*lines, strict=True)), strict=True))
    weights = pa.table(columns | {"weight": pa.array(columns["weight"], pa.decimal128(38, 0))})
    relation = """(
        select case_id, position, cast(amount as hugeint) as amount_units,
            cast(weight as hugeint) as weight, cast(unit_size as hugeint) as unit
        from heads inner join weights using (case_id)
    )"""
    with duckdb.connect() as connection:
        connection.register("heads", heads)
        connection.register("weights", weights)
        rows = connection.execute(write_split_query(relation)).fetchall()
    parts: list[list[int]] = [[] for _ in cases]
    for number, _, part in rows:
        parts[number].append(part)
    return parts


def compare(cases: list[Case]) -> None:
    for case, parts in zip(cases, split_by_macro(cases), strict=True):
        assert parts == split_exactly(case.amount, case.weights, case.unit), case
        if case.amount % case.unit == 0:
            assert sum(parts) == case.amount, case


def draw_case(draw: random.Random) -> Case:
    """Any sign; nothing, next to nothing and all that fits; one receiver to 5,000."""
    unit = draw.choice(UNITS)
    size = draw.choice([0, 1, 10, 10**6, 10**9, 10**15, 10**18, 10**23, LARGEST_AMOUNT])
    amount = draw.choice([-1, 1]) * draw.choice([size, draw.randint(0, size)])
    if draw.random() < 0.5:
        amount -= amount % unit
    counts = [1, draw.randint(2, 9), draw.randint(10, 60), draw.randint(61, 5000)]
    count = draw.choices(counts, [10, 60, 29.7, 0.3])[0]
    if draw.random() < 0.3:
        return Case(amount, draw_weights_at_bound(draw, count, abs(amount) + unit), unit)
    room = LARGEST_DIVISOR // unit // count
    largest = min(room, draw.choice([1, 7, 1000, 10**9, 10**15, 10**18, 10**38]))
    weights = [draw.choice([0, largest, draw.randint(0, largest)]) for _ in range(count)]
    if not sum(weights):
        weights[draw.randrange(count)] = largest
    return Case(amount, weights, unit)


def draw_weights_at_bound(draw: random.Random, count: int, size: int) -> list[int]:
    """Weights whose total is the last that a way of the macro takes, or the first beyond it."""
    total = max(draw.choice(BOUNDS) // size + draw.choice([0, 1]), 1)
    total = min(total, LARGEST_DIVISOR // 10**6)
    ends = sorted(draw.randint(0, total) for _ in range(count - 1))
    return [end - start for start, end in zip([0, *ends], [*ends, total], strict=True)]


@run_batches(BATCHES)
@given(seeds)
def test_split_is_the_exact_one(seed: int) -> None:
    draw = random.Random(seed)
    compare([draw_case(draw) for _ in range(CASES_PER_BATCH)])


@run_batches(1)
@given(seeds)
def test_five_thousand_receivers(seed: int) -> None:
    """At least one of every run, whatever the other batches drew."""
    draw = random.Random(seed)
    for amount in (LARGEST_AMOUNT, -LARGEST_AMOUNT, 1, 0):
        weights = [draw.randint(0, 10**12) for _ in range(4999)] + [1]
        compare([Case(amount, weights, unit) for unit in UNITS])


@settings(max_examples=100, deadline=None, print_blob=True)
@given(
    st.lists(
        st.builds(
            Case,
            st.integers(-(10**12), 10**12),
            st.lists(st.integers(0, 10**9), min_size=1, max_size=12).filter(any),
            st.sampled_from(UNITS),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_split_is_the_exact_one_and_shrinks(cases: list[Case]) -> None:
    """Fewer cases, which hypothesis makes smaller where they fail."""
    compare(cases)
