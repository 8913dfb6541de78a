"""Weights of shared services, against published figures and exact fractions."""

from __future__ import annotations

import random
from fractions import Fraction

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.allocation.shared_services import (
    WEIGHT_SCALE,
    Edge,
    solve_group,
    solve_shared_services,
)
from pipelines.errors import ControlError

# Shares in percent. Published: Y = 7,260 + 0.3 Z, Z = 4,000 + 0.2 Y: 9,000 and 5,800.
PAIR: list[Edge] = [
    ("Y", "service", "Z", 20),
    ("Y", "consumer", "A", 80),
    ("Z", "service", "Y", 30),
    ("Z", "consumer", "B", 70),
]

# University of Regina, BUS 388, 8.4.
REGINA: list[Edge] = [
    ("HR", "service", "DP", 20),
    ("HR", "service", "RM", 10),
    ("HR", "consumer", "Machining", 40),
    ("HR", "consumer", "Assembly", 30),
    ("DP", "service", "HR", 8),
    ("DP", "service", "RM", 7),
    ("DP", "consumer", "Machining", 30),
    ("DP", "consumer", "Assembly", 55),
    ("RM", "consumer", "Machining", 50),
    ("RM", "consumer", "Assembly", 50),
]
REGINA_COSTS = {"HR": 80_000, "DP": 120_000, "RM": 40_000}

Weights = dict[tuple[str, str], int]


def _delivered(edges: list[Edge]) -> Weights:
    return {(sender, to): weight for sender, to, weight, _ in solve_group(edges) if weight}


def _gross(edges: list[Edge], costs: dict[str, int]) -> dict[str, Fraction]:
    result: dict[str, Fraction] = {}
    for sender, to, _, full in solve_group(edges):
        result[to] = result.get(to, Fraction(0)) + Fraction(costs[sender] * full, WEIGHT_SCALE)
    return result


def _charge(edges: list[Edge], costs: dict[str, int]) -> dict[str, Fraction]:
    """What each receiver outside pays: delivered cost, by the outside shares of each service."""
    outside: dict[str, int] = {}
    for sender, kind, _, weight in edges:
        outside[sender] = outside.get(sender, 0) + (weight if kind != "service" else 0)
    charges: dict[str, Fraction] = {}
    for (sender, through), weight in _delivered(edges).items():
        for service, kind, receiver, share in edges:
            if service == through and kind != "service":
                part = Fraction(costs[sender] * weight * share, WEIGHT_SCALE * outside[through])
                charges[receiver] = charges.get(receiver, Fraction(0)) + part
    return charges


def test_pair() -> None:
    gross = _gross(PAIR, {"Y": 7_260, "Z": 4_000})
    assert round(gross["Y"], 6) == 9_000
    assert round(gross["Z"], 6) == 5_800
    # 80 % of 9,000 and 70 % of 5,800; together 11,260, all that there was.
    charges = _charge(PAIR, {"Y": 7_260, "Z": 4_000})
    assert round(charges["A"], 6) == 7_200
    assert round(charges["B"], 6) == 4_060
    assert sum(charges.values()) == 11_260


def test_three_services_two_departments() -> None:
    charges = _charge(REGINA, REGINA_COSTS)
    assert round(charges["Machining"], 2) == Fraction("107276.42")
    assert round(charges["Assembly"], 2) == Fraction("132723.58")
    assert sum(charges.values()) == 240_000


def test_step_down_is_the_same_with_fewer_edges() -> None:
    """S1 = S2 = 300,000; S1 first: S2 no longer passes to S1. Published 230,000 and 370,000."""
    edges: list[Edge] = [
        ("S1", "service", "S2", 40),
        ("S1", "consumer", "P1", 30),
        ("S1", "consumer", "P2", 30),
        ("S2", "consumer", "P1", 25),
        ("S2", "consumer", "P2", 50),
    ]
    charges = _charge(edges, {"S1": 300_000, "S2": 300_000})
    assert {key: round(value, 6) for key, value in charges.items()} == {
        "P1": 230_000,
        "P2": 370_000,
    }


def test_reciprocal_of_the_same_company() -> None:
    edges: list[Edge] = [
        ("S1", "service", "S2", 40),
        ("S1", "consumer", "P1", 30),
        ("S1", "consumer", "P2", 30),
        ("S2", "service", "S1", 25),
        ("S2", "consumer", "P1", 25),
        ("S2", "consumer", "P2", 50),
    ]
    charges = _charge(edges, {"S1": 300_000, "S2": 300_000})
    assert round(charges["P1"], 2) == Fraction("241666.67")
    assert round(charges["P2"], 2) == Fraction("358333.33")


def test_services_without_services_deliver_all_of_themselves() -> None:
    edges: list[Edge] = [("A", "consumer", "X", 3), ("B", "idle", "idle", 1)]
    assert solve_group(edges) == [
        ("A", "A", WEIGHT_SCALE, WEIGHT_SCALE),
        ("B", "B", WEIGHT_SCALE, WEIGHT_SCALE),
    ]


def test_closed_loop_is_refused_by_name() -> None:
    edges: list[Edge] = [
        ("net", "service", "auth", 1),
        ("auth", "service", "net", 1),
        ("mail", "consumer", "X", 1),
        ("mail", "service", "net", 1),
    ]
    with pytest.raises(ControlError, match="the services auth, net pass their cost only") as caught:
        solve_group(edges, "actual 2026-01")
    assert "actual 2026-01" in str(caught.value)
    # mail has a consumer of its own and is no member of the loop.
    assert "mail" not in str(caught.value)


def test_service_that_uses_only_itself_is_refused() -> None:
    with pytest.raises(ControlError, match="the services net pass"):
        solve_group([("net", "service", "net", 1)])


def test_service_without_any_weight_is_refused_by_name() -> None:
    with pytest.raises(ControlError, match="net"):
        solve_group([("net", "consumer", "X", 0), ("mail", "consumer", "X", 1)])


def test_negative_weight_is_refused_by_name() -> None:
    with pytest.raises(ControlError, match="the weights of the services mail are negative"):
        solve_group([("mail", "consumer", "X", 3), ("mail", "consumer", "Y", -1)])


def test_edge_without_weight_is_no_way_out() -> None:
    edges: list[Edge] = [("net", "service", "net", 1), ("net", "consumer", "X", 0)]
    with pytest.raises(ControlError, match="net"):
        solve_group(edges)


@pytest.mark.parametrize("seed", range(5))
def test_order_of_edges_and_names_changes_nothing(seed: int) -> None:
    shuffled = list(REGINA)
    random.Random(seed).shuffle(shuffled)
    assert solve_group(shuffled) == solve_group(REGINA)
    # Other names sort in another order, so that the matrix is permuted.
    names = {"HR": "z", "DP": "m", "RM": "a"}
    renamed = [(names[s], k, names.get(r, r), w) for s, k, r, w in REGINA]
    weights = _delivered(renamed)
    for (sender, to), weight in _delivered(REGINA).items():
        assert abs(weights[names[sender], names[to]] - weight) <= 2


def test_use_of_itself_changes_nothing() -> None:
    """HR keeps a fifth for itself: its other shares keep their proportions."""
    edges = [(s, k, r, w * 4 if s == "HR" else w) for s, k, r, w in REGINA]
    edges.append(("HR", "service", "HR", 100))
    weights = _delivered(edges)
    for key, weight in _delivered(REGINA).items():
        assert abs(weights[key] - weight) <= 2


def test_table_is_solved_by_period_and_reads_columns_by_name() -> None:
    rows = [("actual", "2026-01", 1, *edge) for edge in PAIR]
    rows += [("actual", "2026-02", 1, "Y", "consumer", "A", 1)]
    names = ["scenario_id", "period_id", "version", "service_id", "receiver_kind", "receiver_id"]
    table = pa.table(
        {
            name: list(column)
            for name, column in zip([*names, "weight"], zip(*rows, strict=True), strict=True)
        }
    )
    solved = solve_shared_services(table).to_pylist()
    assert solved == solve_shared_services(table.select([*names[::-1], "weight"])).to_pylist()
    february = [row for row in solved if row["period_id"] == "2026-02"]
    assert [(row["to_service_id"], row["delivered_weight"]) for row in february] == [
        ("Y", WEIGHT_SCALE)
    ]
    january = [row for row in solved if row["period_id"] == "2026-01"]
    assert sum(row["delivered_weight"] for row in january) == 2 * WEIGHT_SCALE


def test_empty_table_gives_an_empty_table_of_the_same_columns() -> None:
    names = ["scenario_id", "period_id", "version", "service_id", "receiver_kind", "receiver_id"]
    empty = pa.table({name: pa.array([], pa.string()) for name in [*names, "weight"]})
    solved = solve_shared_services(empty)
    assert solved.num_rows == 0
    assert solved.column_names[-2:] == ["delivered_weight", "gross_weight"]


@st.composite
def _graphs(draw: st.DrawFn) -> list[Edge]:
    """Up to 8 services that use each other and themselves; each has a receiver outside."""
    count = draw(st.integers(1, 8))
    edges: list[Edge] = []
    for sender in range(count):
        edges.append((f"s{sender}", "consumer", "X", draw(st.integers(1, 10_000))))
        for to in range(count):
            weight = draw(st.one_of(st.just(0), st.integers(1, 10_000)))
            if weight:
                edges.append((f"s{sender}", "service", f"s{to}", weight))
    return edges


def _solve_exactly(edges: list[Edge]) -> dict[tuple[str, str], Fraction]:
    """M[s -> t] = ((I - A)^-1)[t, s] * c_t by Gauss-Jordan elimination in fractions."""
    services = sorted({edge[0] for edge in edges})
    size = len(services)
    totals = {s: sum(w for sender, _, _, w in edges if sender == s) for s in services}
    rows = [[Fraction(int(i == j)) for j in range(size)] for i in range(size)]
    for sender, kind, receiver, weight in edges:
        if kind == "service":
            share = Fraction(weight, totals[sender])
            rows[services.index(receiver)][services.index(sender)] -= share
    matrix = [row + [Fraction(int(i == j)) for j in range(size)] for i, row in enumerate(rows)]
    for column in range(size):
        pivot = next(row for row in range(column, size) if matrix[row][column])
        matrix[column], matrix[pivot] = matrix[pivot], matrix[column]
        lead = matrix[column][column]
        matrix[column] = [value / lead for value in matrix[column]]
        for row in range(size):
            if row != column and (factor := matrix[row][column]):
                pairs = zip(matrix[row], matrix[column], strict=True)
                matrix[row] = [value - factor * other for value, other in pairs]
    outside = {
        s: Fraction(sum(w for a, k, _, w in edges if a == s and k != "service"), totals[s])
        for s in services
    }
    return {
        (sender, to): matrix[t][size + s] * outside[to]
        for s, sender in enumerate(services)
        for t, to in enumerate(services)
    }


@settings(max_examples=150, deadline=None)
@given(_graphs())
def test_weights_are_those_of_exact_fractions_and_sum_exactly(edges: list[Edge]) -> None:
    solved = {(sender, to): weight for sender, to, weight, _ in solve_group(edges)}
    exact = _solve_exactly(edges)
    assert set(solved) <= set(exact)
    for key, value in exact.items():
        assert abs(Fraction(solved.get(key, 0), WEIGHT_SCALE) - value) <= Fraction(1, 10**12)
    for service in {edge[0] for edge in edges}:
        assert sum(w for (sender, _), w in solved.items() if sender == service) == WEIGHT_SCALE
    assert all(weight >= 0 for weight in solved.values())
