"""Solved weights against exact fractions, and what holds for every company."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from hypothesis import given

from pipelines.allocation.service_graph import Edge
from pipelines.allocation.shared_services import WEIGHT_SCALE, solve_group
from pipelines.errors import ControlError

from .companies import CONSUMER_TOTAL, Company, draw_weight, make_company, rename
from .exact import solve_exactly
from .flow import charge
from .runs import run_batches, seeds

CLOSE = Fraction(1, 10**14)
COMPANIES = 100

Weights = dict[tuple[str, str], int]


def solve(edges: list[Edge]) -> Weights:
    solved = solve_group(edges)
    names = solved.services
    rows = zip(solved.senders, solved.receivers, solved.delivered, strict=True)
    return {(names[s], names[t]): int(weight) for s, t, weight in rows if weight}


def compare_with_fractions(edges: list[Edge]) -> None:
    weights, exact = solve(edges), solve_exactly(edges)
    assert set(weights) <= set(exact)
    for key, value in exact.items():
        found = Fraction(weights.get(key, 0), WEIGHT_SCALE)
        assert abs(found - value) <= CLOSE, (key, float(found - value), edges)
    sums: dict[str, int] = {}
    for (sender, _), weight in weights.items():
        assert weight > 0
        sums[sender] = sums.get(sender, 0) + weight
    assert set(sums.values()) == {WEIGHT_SCALE}, edges


@run_batches(10)
@given(seeds)
def test_weights_are_those_of_fractions(seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(COMPANIES):
        compare_with_fractions(make_company(draw, draw.randint(1, 9)).edges)


@run_batches(12)
@given(seeds)
def test_weights_of_fifty_services_are_those_of_fractions(seed: int) -> None:
    draw = random.Random(seed)
    compare_with_fractions(make_company(draw, draw.randint(30, 50)).edges)


@run_batches(4)
@given(seeds)
def test_no_unit_of_money_is_lost(seed: int) -> None:
    draw = random.Random(seed)
    companies = [make_company(draw, draw.randint(1, 12)) for _ in range(COMPANIES)]
    charges = charge(companies, [solve(company.edges) for company in companies])
    for company, found in zip(companies, charges, strict=True):
        assert sum(found.values()) == sum(company.costs.values()), company


@run_batches(4)
@given(seeds)
def test_scaled_costs_scale_the_charges(seed: int) -> None:
    """Costs that split without rounding, so that the charges scale to the unit."""
    draw = random.Random(seed)
    companies, factors = [], []
    for _ in range(COMPANIES):
        company = make_company(draw, draw.randint(1, 9))
        whole = WEIGHT_SCALE * CONSUMER_TOTAL
        costs = {service: draw.randint(-9, 9) * whole for service in company.services}
        companies.append(Company(company.edges, costs))
        factors.append(draw.choice([-1, 0, 2, 3, 97]))
    weights = [solve(company.edges) for company in companies]
    scaled = [
        Company(c.edges, {service: cost * factor for service, cost in c.costs.items()})
        for c, factor in zip(companies, factors, strict=True)
    ]
    before, after = charge(companies, weights), charge(scaled, weights)
    for factor, was, now in zip(factors, before, after, strict=True):
        assert {key: value * factor for key, value in was.items()} == now


@run_batches(4)
@given(seeds)
def test_without_use_among_services_all_methods_agree(seed: int) -> None:
    """What is left of reciprocal and step-down is direct: every service delivers all of itself."""
    draw = random.Random(seed)
    for _ in range(COMPANIES):
        company = make_company(draw, draw.randint(1, 9))
        direct = [edge for edge in company.edges if edge[1] != "service"]
        assert solve(direct) == {(name, name): WEIGHT_SCALE for name in company.services}
        itself = [(name, "service", name, draw_weight(draw)) for name in company.services]
        assert solve(direct + itself) == solve(direct)


def step_down_exactly(company: Company) -> dict[str, Fraction]:
    """Service by service in the order of names, as the method is taught."""
    costs = {service: Fraction(cost) for service, cost in company.costs.items()}
    charges: dict[str, Fraction] = {}
    for service in company.services:
        uses = [edge for edge in company.edges if edge[0] == service]
        total = sum(weight for _, _, _, weight in uses)
        for _, kind, receiver, weight in uses:
            books = costs if kind == "service" else charges
            books[receiver] = books.get(receiver, Fraction(0)) + costs[service] * weight / total
    return charges


@run_batches(4)
@given(seeds)
def test_step_down_is_reciprocal_where_nothing_is_passed_back(seed: int) -> None:
    """Charges by solved weights, against the method as it is taught: to 10^-14 of all cost."""
    draw = random.Random(seed)
    for _ in range(COMPANIES):
        company = make_company(draw, draw.randint(1, 9), is_triangular=True)
        expected = step_down_exactly(company)
        found = {key: Fraction(0) for key in expected}
        for (sender, through), weight in solve(company.edges).items():
            part = Fraction(company.costs[sender] * weight, WEIGHT_SCALE)
            for service, kind, receiver, consumed in company.edges:
                if service == through and kind == "consumer":
                    found[receiver] += part * Fraction(consumed, CONSUMER_TOTAL)
        room = sum(abs(cost) for cost in company.costs.values()) * CLOSE
        for key, value in expected.items():
            assert abs(found[key] - value) <= room, (key, company)


@run_batches(4)
@given(seeds)
def test_order_of_services_changes_nothing(seed: int) -> None:
    """Rows in another order: nothing at all. Other names: at most the last digits of a weight."""
    draw = random.Random(seed)
    for _ in range(COMPANIES):
        company = make_company(draw, draw.randint(1, 12))
        weights = solve(company.edges)
        shuffled = draw.sample(company.edges, len(company.edges))
        assert solve(shuffled) == weights
        services = company.services
        names = dict(zip(services, draw.sample(services, len(services)), strict=True))
        renamed = solve(rename(company, names).edges)
        for sender in services:
            for to in services:
                was, now = weights.get((sender, to), 0), renamed.get((names[sender], names[to]), 0)
                assert abs(was - now) <= WEIGHT_SCALE * CLOSE, (sender, to, company)


@run_batches(4)
@given(seeds)
def test_closed_loop_is_refused_by_its_name(seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(COMPANIES):
        company = make_company(draw, draw.randint(1, 9))
        loop = [f"loop{number}" for number in range(draw.randint(1, 5))]
        edges = list(company.edges)
        for number, service in enumerate(loop):
            edges.append((service, "service", loop[(number + 1) % len(loop)], draw_weight(draw)))
        # Others may pass their cost into the loop; they are not what is wrong.
        edges.append((company.services[0], "service", loop[0], draw_weight(draw)))
        draw.shuffle(edges)
        with pytest.raises(ControlError) as caught:
            solve_group(edges, "actual 2026-01")
        assert str(caught.value).startswith(
            f"actual 2026-01: the services {', '.join(loop)} pass their cost only among themselves"
        )
