"""The unsure part of solved weights, against hand-worked figures and ways counted one by one."""

from __future__ import annotations

import random
from fractions import Fraction

import duckdb
import pyarrow as pa
import pytest

from pipelines.allocation.service_graph import Edge
from pipelines.allocation.shared_services import WEIGHT_SCALE, solve_group
from pipelines.allocation.use_edges import select_ranks
from pipelines.allocation.weight_doubts import find_doubts, find_group_doubts

# Network: half to the desk, a quarter to CRM, a quarter to consumers. Desk: a third to CRM.
CHAIN: list[Edge] = [
    ("network", "service", "desk", 2),
    ("network", "service", "crm", 1),
    ("network", "outside", "", 1),
    ("desk", "service", "crm", 1),
    ("desk", "outside", "", 2),
    ("crm", "outside", "", 1),
]


def test_only_what_passes_an_unsure_service_is_unsure() -> None:
    """Through CRM leave 1/4 of the network directly and 1/2 x 1/3 by way of the estimated desk."""
    doubts = find_group_doubts(CHAIN, {"network": 0, "desk": 1, "crm": 0})
    third, sixth = round(WEIGHT_SCALE / 3), round(WEIGHT_SCALE / 6)
    assert doubts == {
        ("desk", "crm"): (third, 0, 0),
        ("desk", "desk"): (WEIGHT_SCALE - third, 0, 0),
        ("network", "crm"): (sixth, 0, 0),
        ("network", "desk"): (2 * sixth - 1, 0, 0),
    }


def test_each_quality_is_its_own_level() -> None:
    """The desk is stale, CRM a fallback: through CRM all is a fallback, through the desk stale."""
    doubts = find_group_doubts(CHAIN, {"network": 0, "desk": 2, "crm": 3})
    whole = {pair: parts[0] for pair, parts in doubts.items()}
    assert doubts["network", "desk"] == (whole["network", "desk"], whole["network", "desk"], 0)
    assert doubts["network", "crm"] == (whole["network", "crm"],) * 3
    assert doubts["crm", "crm"] == (WEIGHT_SCALE,) * 3
    assert ("network", "network") not in doubts


def test_a_circle_is_unsure_as_far_as_it_goes_round() -> None:
    """Y estimated: of Z's cost 0.7 leaves at once; 0.7 / 0.94 - 0.7 went round by Y."""
    edges: list[Edge] = [
        ("Y", "service", "Z", 20),
        ("Y", "outside", "", 80),
        ("Z", "service", "Y", 30),
        ("Z", "outside", "", 70),
    ]
    doubts = find_group_doubts(edges, {"Y": 1, "Z": 0})
    exact = Fraction(70, 94) - Fraction(7, 10)
    assert abs(doubts["Z", "Z"][0] - exact * WEIGHT_SCALE) <= 2
    assert doubts["Y", "Z"][0] + doubts["Y", "Y"][0] == WEIGHT_SCALE


def test_measured_drivers_leave_no_doubt() -> None:
    assert find_group_doubts(CHAIN, dict.fromkeys(("network", "desk", "crm"), 0)) == {}


def test_doubts_are_those_of_every_way_counted_one_by_one() -> None:
    """Graphs without circles, whose ways can be listed: each is as good as its worst service."""
    draw = random.Random(20261125)
    for _ in range(60):
        names = [f"s{number}" for number in range(draw.randint(2, 7))]
        ranks = {name: draw.choice([0, 0, 1, 2, 3]) for name in names}
        edges: list[Edge] = []
        for place, name in enumerate(names):
            edges.append((name, "outside", "", draw.randint(1, 9)))
            for later in names[place + 1 :]:
                if draw.random() < 0.5:
                    edges.append((name, "service", later, draw.randint(1, 9)))
        expected = _count_ways(edges, ranks)
        doubts = find_group_doubts(edges, ranks)
        for pair, parts in expected.items():
            found = doubts.get(pair, (0, 0, 0))
            for part, exact in zip(found, parts, strict=True):
                assert abs(part - exact * WEIGHT_SCALE) <= 3, (edges, ranks, pair)
        weights = _read_weights(edges)
        for pair, (estimated, stale, fallback) in doubts.items():
            assert 0 <= fallback <= stale <= estimated <= weights[pair]


def _count_ways(
    edges: list[Edge], ranks: dict[str, int]
) -> dict[tuple[str, str], tuple[Fraction, Fraction, Fraction]]:
    """Per pair what goes over ways whose worst service is estimated, stale, fallback or worse."""
    totals: dict[str, int] = {}
    for sender, _, _, weight in edges:
        totals[sender] = totals.get(sender, 0) + weight
    found: dict[tuple[str, str], list[Fraction]] = {}

    def walk(start: str, here: str, share: Fraction, worst: int) -> None:
        for sender, kind, receiver, weight in edges:
            if sender != here:
                continue
            part = share * Fraction(weight, totals[here])
            if kind == "service":
                walk(start, receiver, part, max(worst, ranks[receiver]))
                continue
            parts = found.setdefault((start, here), [Fraction(0)] * 3)
            for level in range(worst):
                parts[level] += part

    for name in totals:
        walk(name, name, Fraction(1), ranks[name])
    return {pair: (parts[0], parts[1], parts[2]) for pair, parts in found.items()}


def _read_weights(edges: list[Edge]) -> dict[tuple[str, str], int]:
    solved = solve_group(edges)
    names = solved.services
    return {
        (names[sender], names[receiver]): int(weight)
        for sender, receiver, weight in zip(
            solved.senders, solved.receivers, solved.delivered, strict=True
        )
    }


def test_groups_are_kept_apart() -> None:
    """The desk is estimated in the budget only."""
    rows = [(scenario, "2026-03", 1, *edge) for scenario in ("actual", "budget") for edge in CHAIN]
    names = ("scenario_id", "period_id", "version", "service_id")
    edges = pa.table(
        dict(
            zip(
                (*names, "receiver_kind", "receiver_id", "weight"),
                map(list, zip(*rows, strict=True)),
                strict=True,
            )
        )
    )
    ranked = [
        (scenario, "2026-03", 1, service, int(scenario == "budget" and service == "desk"))
        for scenario in ("actual", "budget")
        for service in ("crm", "desk", "network")
    ]
    ranks = pa.table(
        dict(zip((*names, "quality_rank"), map(list, zip(*ranked, strict=True)), strict=True))
    )
    doubts = find_doubts(edges, ranks)
    assert set(doubts.column("scenario_id").to_pylist()) == {"budget"}
    assert doubts.num_rows == 4
    nothing = find_doubts(edges, ranks.set_column(4, "quality_rank", pa.array([0] * 6)))
    assert (nothing.num_rows, nothing.schema) == (0, doubts.schema)


@pytest.mark.parametrize(
    ("rows", "rank"),
    [
        ("('cc1', 'measured', 3), ('cc2', 'measured', 1)", 0),
        # The share of each rests on the quantities of all.
        ("('cc1', 'measured', 3), ('cc2', 'estimated', 1)", 1),
        ("('cc1', 'stale', 3), ('cc2', 'estimated', 1)", 2),
        ("('cc1', 'fallback', null), ('cc2', 'fallback', null)", 3),
        ("('cc1', 'invented', 3)", 3),
        # Declared shares have no quantity: an estimate, unless there is one receiver.
        ("('cc1', 'measured', null), ('cc2', 'measured', null)", 1),
        ("('cc1', 'measured', null)", 0),
    ],
)
def test_a_split_is_as_sure_as_its_least_sure_quantity(rows: str, rank: int) -> None:
    with duckdb.connect() as connection:
        use = connection.sql(
            "select 'actual' as scenario_id, '2026-03' as period_id, 1 as version, "
            "'desk' as service_id, 'consumer' as receiver_kind, * "
            f"from (values {rows}) as use (receiver_id, driver_quality, quantity)"
        )
        assert select_ranks(use).column("quality_rank").to_pylist() == [rank]
