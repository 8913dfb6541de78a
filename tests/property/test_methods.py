"""Splits of every method, compiled and resolved in SQL, against exact fractions: no difference.

The expected shares come from the decimals of the rule by the words of the reference, without
integers: percent of the whole, quantity times weight, the rest of the residual.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import duckdb
import jinja2
from hypothesis import given

from pipelines.cost_model.compile_splits import PART_COLUMNS, compile_parts, compile_receivers
from pipelines.cost_model.splits import AnySplit, ConsumerSplit, Split, SplitPart
from pipelines.warehouse.dbt_runner import PROJECT_DIRECTORY

from .runs import run_batches, seeds

BATCHES, CASES_PER_BATCH = 10, 300
NAMES = [f"t{number}" for number in range(6)]
BEFORE, NOW = "2026-01", "2026-02"
HELD = "(unallocated)"
TOO_LARGE = 2**112
"""From where on a sum of weights is refused."""
IDLE = "(idle)"

Quantities = dict[tuple[str, str], Decimal]
"""(period, receiver) -> quantity"""
Shares = dict[str, Fraction]


@dataclass(frozen=True)
class Case:
    split: AnySplit
    quantities: Quantities
    capacities: dict[str, Decimal]
    """Practical capacity by period, for `capacity`."""


def draw_case(draw: random.Random) -> Case:
    """Few receivers, so that shares, weights, `to` and quantities meet or miss each other."""
    method = draw.choice(["direct", "even", "driver", "weighted", "fixed", "fixed", "capacity"])
    if method == "capacity":
        fallback = draw.choice(["hold", "prior_period"])
        form = {"method": method, "driver": "d", "fallback": fallback, "negative": "absolute"}
        split: AnySplit = ConsumerSplit.model_validate(form)
    elif method == "fixed":
        split = Split.model_validate(draw_fixed(draw))
    else:
        split = Split.model_validate(draw_part(draw, method))
    quantities: Quantities = {}
    for period in (BEFORE, NOW):
        if draw.random() < 0.7:
            for name in draw.sample(NAMES, draw.randint(1, 4)):
                quantities[period, name] = draw_quantity(draw)
    periods = [period for period in (BEFORE, NOW) if draw.random() < 0.7]
    return Case(split, quantities, {period: abs(draw_quantity(draw)) for period in periods})


def draw_part(draw: random.Random, method: str) -> dict[str, object]:
    named = draw.sample(NAMES, 1 if method == "direct" else draw.randint(1, 5))
    if method in ("direct", "even"):
        return {"method": method, "to": named}
    part: dict[str, object] = {"method": method, "driver": "d"}
    part["negative"] = draw.choice(["clamp", "absolute"])
    part["fallback"] = draw.choice(["hold", "prior_period"])
    if method == "weighted":
        part["weights"] = {name: draw_weight(draw) for name in named}
        part["default_weight"] = draw.choice([Decimal("0.000001"), Decimal(1), draw_weight(draw)])
        if not any(part["weights"].values()):  # type: ignore[attr-defined]
            part["default_weight"] = Decimal(1)
        part["fallback"] = draw.choice(["hold", "even", "prior_period"])
    elif draw.random() < 0.5:
        part |= {"to": named, "fallback": draw.choice(["hold", "even", "prior_period"])}
    return part


def draw_fixed(draw: random.Random) -> dict[str, object]:
    """Percentages of up to ten decimals, to 100 or with a residual."""
    whole, step = 10**12, 10 ** draw.choice([0, 7, 10])
    ends = sorted(draw.randrange(step, whole, step) for _ in range(draw.randint(1, 4)))
    has_residual = draw.random() < 0.7
    edges = [0, *ends] if has_residual else [0, *ends, whole]
    parts = [Decimal(b - a).scaleb(-10) for a, b in pairwise(edges)]
    split: dict[str, object] = {"method": "fixed"}
    split["shares"] = dict(zip(draw.sample(NAMES, len(parts)), parts, strict=True))
    if has_residual:
        method = draw.choice(["direct", "even", "driver", "weighted"])
        split["residual"] = draw_part(draw, method)
    return split


def draw_weight(draw: random.Random) -> Decimal:
    return draw.choice([Decimal(0), Decimal(1), Decimal(draw.randint(1, 10**7)).scaleb(-6)])


def draw_quantity(draw: random.Random) -> Decimal:
    """Of up to twelve decimals, all of which count; some periods use trillionths only."""
    size = draw.choice([0, 10, 10**6, 10**9])
    return draw.choice([-1, 1, 1]) * Decimal(draw.randint(0, size)).scaleb(-draw.choice([0, 6, 12]))


def share_exactly(case: Case) -> Shares:
    """What each receiver gets of the whole; those that get nothing are left out."""
    split = case.split
    if split.shares is None:
        shares = share_part(split, case)
    else:
        shares = {name: Fraction(share) / 100 for name, share in split.shares.items()}
        rest = 1 - sum(shares.values())
        if split.residual is not None:
            for name, share in share_part(split.residual, case).items():
                shares[name] = shares.get(name, Fraction(0)) + rest * share
    return {name: share for name, share in shares.items() if share}


def share_part(part: SplitPart, case: Case) -> Shares:
    if part.driver is None:
        return share_evenly(part.to or [])
    for period in [NOW, BEFORE] if part.fallback == "prior_period" else [NOW]:
        counted = count(part, case, period)
        if sum(counted.values()) > 0:
            return {name: value / sum(counted.values()) for name, value in counted.items()}
    if part.fallback == "even":
        return share_evenly(list(part.weights or part.to or []))
    return {HELD: Fraction(1)}


def share_evenly(names: Sequence[str]) -> Shares:
    return {name: Fraction(1, len(names)) for name in names}


def count(part: SplitPart, case: Case, period: str) -> Shares:
    """What each quantity of the period counts."""
    counted: Shares = {}
    for (when, name), quantity in case.quantities.items():
        if when != period or (part.to is not None and name not in part.to):
            continue
        value = abs(quantity) if part.negative == "absolute" else max(quantity, Decimal(0))
        weight = (part.weights or {}).get(name, part.default_weight)
        counted[name] = Fraction(value) * Fraction(Decimal(1) if weight is None else weight)
    if part.method != "capacity":
        return counted
    if not counted or period not in case.capacities:
        return {}
    idle = Fraction(case.capacities[period]) - sum(counted.values())
    return counted | {IDLE: max(idle, Fraction(0))}


def resolve_in_sql(cases: list[Case]) -> list[Shares | None]:
    """All cases in one query: the rules compiled, the macro rendered as dbt renders it. None where
    the guards refuse the weights, because no total can hold them."""
    parts, receivers, quantities, wanted = [], [], [], []
    for number, case in enumerate(cases):
        rule, driver = f"r{number}", f"d{number}"
        wanted.append(("actual", NOW, 1, rule, "s"))
        for row in compile_parts("towers", rule, case.split):
            parts.append((*row[:4], row[4] and driver, *row[5:]))
        for _, receiver, weight, part in compile_receivers(rule, case.split):
            receivers.append((rule, part, None, "tower", receiver, weight))
        for (period, name), quantity in case.quantities.items():
            quantities.append(("actual", period, driver, "tower", name, quantity))
        for period in case.capacities if case.split.method == "capacity" else ():
            counted = count(case.split, case, period)
            if counted:
                idle = Decimal(counted[IDLE].numerator) / Decimal(counted[IDLE].denominator)
                quantities.append(("actual", period, driver, "idle", IDLE, idle))
    with duckdb.connect() as connection:
        fill(connection, "stg_model__split_parts", PART_COLUMNS, parts)
        columns = "rule_id text, part_code text, period_id text, receiver_kind text, "
        fill(connection, "named", f"{columns} receiver_id text, weight hugeint", receivers)
        columns = "scenario_id text, period_id text, version int, rule_id text, sender_id text"
        fill(connection, "wanted", columns, wanted)
        columns = "scenario_id text, period_id text, driver_id text, receiver_kind text, "
        fill(
            connection, "given", f"{columns} receiver_id text, quantity decimal(38, 12)", quantities
        )
        connection.execute(
            "create table fct_driver_quantities as select *, null::text as sender_id, "
            "'x' as unit_code, 'measured' as quality from given"
        )
        connection.execute("create table stg_model__drivers (driver_id text, sender_kind text)")
        rows = connection.execute(
            f"select rule_id, receiver_id, sum(weight) from ({render_macro()}) group by all"
        ).fetchall()
    found: list[Shares] = [{} for _ in cases]
    for rule, receiver, weight in rows:
        found[int(rule[1:])][receiver] = Fraction(int(weight))
    totals = [sum(weights.values()) for weights in found]
    return [
        {name: weight / total for name, weight in weights.items()} if total < TOO_LARGE else None
        for weights, total in zip(found, totals, strict=True)
    ]


def fill(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    columns: str,
    rows: Sequence[tuple[object, ...]],
) -> None:
    connection.execute(f"create table {name} ({columns})")
    values = ", ".join(f"({', '.join(map(write_literal, row))})" for row in rows)
    connection.execute(f"insert into {name} values {values}")


def write_literal(value: object) -> str:
    if value is None:
        return "null"
    return f"'{value}'" if isinstance(value, str) else str(value).lower()


def render_macro() -> str:
    names = ["decimal_to_integer", "greatest_divisor", "multiply_weights", "resolve_weights"]
    names.append("unholdable_weight")
    directory = PROJECT_DIRECTORY / "macros"
    source = "\n".join((directory / f"{name}.sql").read_text("utf-8") for name in names)
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    environment.globals["ref"] = lambda name: name
    macros = environment.from_string(source).module
    sql: str = macros.resolve_weights(  # type: ignore[attr-defined]
        "wanted", "stg_model__split_parts", "named", ["tower", "idle"]
    )
    return sql


@run_batches(BATCHES)
@given(seeds)
def test_every_method_gives_the_exact_shares(seed: int) -> None:
    draw = random.Random(seed)
    cases = [draw_case(draw) for _ in range(CASES_PER_BATCH)]
    for case, found in zip(cases, resolve_in_sql(cases), strict=True):
        if found is None:
            # Ten decimals of a share times twelve of quantities and six of weights: two parts only.
            assert case.split.residual is not None, case
            continue
        assert found == share_exactly(case), case


def test_weights_beyond_every_total_are_refused_and_not_divided() -> None:
    """10^20 units with twelve decimals times 1,000 are 10^35. Cut to what can be held, and divided
    by what they share with the other weight, they would pass as 52 to 1."""
    split = Split.model_validate(
        {
            "method": "weighted",
            "driver": "d",
            "weights": {"t1": Decimal(1000), "t2": Decimal(1)},
            "default_weight": Decimal(1),
        }
    )
    quantities = {(NOW, "t1"): Decimal(10**20), (NOW, "t2"): Decimal(10**20)}
    assert resolve_in_sql([Case(split, quantities, {})]) == [None]
