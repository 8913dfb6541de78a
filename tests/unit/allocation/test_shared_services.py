"""Weights of shared services, against published figures; ../../property has exact fractions."""

from __future__ import annotations

import random
from fractions import Fraction

import pyarrow as pa
import pytest

from pipelines.allocation.service_graph import Edge
from pipelines.allocation.shared_services import WEIGHT_SCALE, solve_group, solve_shared_services
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


def _solve(edges: list[Edge]) -> list[tuple[str, str, int, int]]:
    """Rows of (sender, receiver, delivered weight, gross weight)."""
    solved = solve_group(edges)
    names = solved.services
    columns = (solved.senders, solved.receivers, solved.delivered, solved.gross)
    return [(names[s], names[t], int(m), int(g)) for s, t, m, g in zip(*columns, strict=True)]


def _delivered(edges: list[Edge]) -> Weights:
    return {(sender, to): weight for sender, to, weight, _ in _solve(edges) if weight}


def _gross(edges: list[Edge], costs: dict[str, int]) -> dict[str, Fraction]:
    result: dict[str, Fraction] = {}
    for sender, to, _, full in _solve(edges):
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
    assert _solve(edges) == [
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


def test_every_closed_loop_is_named_apart() -> None:
    """Mail passes its cost into a loop, but is no member of it."""
    edges: list[Edge] = [
        ("net", "service", "auth", 1),
        ("auth", "service", "net", 1),
        ("mail", "service", "net", 1),
        ("disk", "service", "tape", 2),
        ("tape", "service", "disk", 1),
    ]
    with pytest.raises(ControlError) as caught:
        solve_group(edges, "actual 2026-01")
    message = str(caught.value)
    assert "the services auth, net; the services disk, tape pass their cost only among" in message
    assert "mail" not in message


def test_loop_that_lets_out_almost_nothing_keeps_every_digit() -> None:
    """Of 10^6 parts of A and of B one leaves: a = 1 + b * (1 - 1e-6), b = a * (1 - 1e-6).

    a = 1 / (1 - (1 - 1e-6)^2) = 10^12 / 1,999,999 rounds, b = 999,999 * 10^6 / 1,999,999; so A
    delivers 10^6 / 1,999,999 of itself through A and 999,999 / 1,999,999 through B.
    """
    edges: list[Edge] = [
        ("A", "service", "B", 999_999),
        ("A", "consumer", "X", 1),
        ("B", "service", "A", 999_999),
        ("B", "consumer", "Y", 1),
    ]
    weights = _delivered(edges)
    # 10^21 / 1,999,999 = 500,000,250,000,125.0001
    assert abs(weights["A", "A"] - 500_000_250_000_125) <= 1
    assert abs(weights["A", "B"] - 499_999_749_999_875) <= 1


def test_cost_that_goes_round_too_often_is_refused_by_name() -> None:
    edges: list[Edge] = [
        ("A", "service", "B", 10**9),
        ("B", "service", "A", 10**9),
        ("B", "consumer", "X", 1),
    ]
    with pytest.raises(ControlError, match="service 'A' and those that it passes cost to let out"):
        solve_group(edges)


def test_weights_of_any_length_are_shared_by() -> None:
    """Weights are millionths of a quantity, as integers without a limit."""
    edges: list[Edge] = [
        ("A", "service", "B", 3 * 10**30),
        ("A", "consumer", "X", 10**30),
        ("B", "consumer", "X", 1),
    ]
    assert _delivered(edges) == {
        ("A", "A"): WEIGHT_SCALE // 4,
        ("A", "B"): 3 * WEIGHT_SCALE // 4,
        ("B", "B"): WEIGHT_SCALE,
    }


def test_components_are_solved_after_those_that_they_pass_to() -> None:
    """P <-> Q passes half into R <-> S: worked by hand.

    P and Q: P = 1 + Q / 2, Q = P / 4 for a unit of P: P 8/7, Q 2/7. P passes 1/2 to R and 1/4 to
    Q, the rest leaves; Q passes 1/2 to P, the rest leaves. R receives 4/7; R = 4/7 + S / 2,
    S = R / 2: R 16/21, S 8/21, each half of which leaves. P delivers 2/7 through P, 1/7 through Q,
    8/21 through R and 4/21 through S.
    """
    edges: list[Edge] = [
        ("P", "service", "Q", 1),
        ("P", "service", "R", 2),
        ("P", "consumer", "X", 1),
        ("Q", "service", "P", 1),
        ("Q", "consumer", "X", 1),
        ("R", "service", "S", 1),
        ("R", "consumer", "X", 1),
        ("S", "service", "R", 1),
        ("S", "consumer", "X", 1),
    ]
    found = {to: (weight, full) for sender, to, weight, full in _solve(edges) if sender == "P"}
    expected = {
        "P": (Fraction(2, 7), Fraction(8, 7)),
        "Q": (Fraction(1, 7), Fraction(2, 7)),
        "R": (Fraction(8, 21), Fraction(16, 21)),
        "S": (Fraction(4, 21), Fraction(8, 21)),
    }
    assert found.keys() == expected.keys()
    for service, (delivered, gross) in expected.items():
        assert abs(found[service][0] - delivered * WEIGHT_SCALE) <= 1, service
        assert abs(found[service][1] - gross * WEIGHT_SCALE) <= 1, service


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
    assert _solve(shuffled) == _solve(REGINA)
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
    # What HR receives from itself is no part of its full cost.
    costs = REGINA_COSTS
    assert round(_gross(edges, costs)["HR"], 6) == round(_gross(REGINA, costs)["HR"], 6)


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
    solved = solve_shared_services(table, "reciprocal").to_pylist()
    turned = table.select([*names[::-1], "weight"])
    assert solved == solve_shared_services(turned, "reciprocal").to_pylist()
    assert {row["shared_method"] for row in solved} == {"reciprocal"}
    february = [row for row in solved if row["period_id"] == "2026-02"]
    assert [(row["to_service_id"], row["delivered_weight"]) for row in february] == [
        ("Y", WEIGHT_SCALE)
    ]
    january = [row for row in solved if row["period_id"] == "2026-01"]
    assert sum(row["delivered_weight"] for row in january) == 2 * WEIGHT_SCALE


def test_empty_table_gives_an_empty_table_of_the_same_columns() -> None:
    names = ["scenario_id", "period_id", "version", "service_id", "receiver_kind", "receiver_id"]
    empty = pa.table({name: pa.array([], pa.string()) for name in [*names, "weight"]})
    solved = solve_shared_services(empty, "direct")
    assert solved.num_rows == 0
    assert solved.column_names[-2:] == ["delivered_weight", "gross_weight"]
